import type { ClientBase } from 'pg'
import type { Runtime } from '../wire/runtime.ts'
import { insertSession } from './database/sessions.ts'
import type { User } from './database/users.ts'
import { createToken } from './domain/token.ts'

const SESSION_MS = 7 * 24 * 60 * 60 * 1_000

export interface OpenedSession {
  /** Shown once, kept nowhere. */
  readonly token: string
  readonly expiresAt: Date
}

/** @returns undefined when the user's password has been changed since it was read. */
export async function openSession(
  client: Pick<ClientBase, 'query'>,
  { id, passwordHash }: Pick<User, 'id' | 'passwordHash'>,
  { clock, ids }: Pick<Runtime, 'clock' | 'ids'>,
): Promise<OpenedSession | undefined> {
  const { token, hash } = createToken(ids, 'session')
  const createdAt = new Date(clock.now())
  const expiresAt = new Date(clock.now() + SESSION_MS)
  const isOpen = await insertSession(client, { tokenHash: hash, user: id, createdAt, expiresAt }, passwordHash)
  return isOpen ? { token, expiresAt } : undefined
}
