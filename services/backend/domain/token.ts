import { createHash } from 'node:crypto'
import type { Ids } from '../../wire/runtime.ts'

const RANDOM_BYTES = 32

/** A secret that is shown once, and the hash by which it is found again. */
export interface Token {
  readonly token: string
  readonly hash: string
}

export function createToken(ids: Pick<Ids, 'hex'>, kind: 'session' | 'invitation'): Token {
  const token = `${PREFIXES[kind]}${Buffer.from(ids.hex(RANDOM_BYTES), 'hex').toString('base64url')}`
  return { token, hash: hashToken(token) }
}

const PREFIXES = { session: 'ses_', invitation: 'inv_' } as const

/** Tokens are 256 bits of chance, so a fast hash is enough. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
