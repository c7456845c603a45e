import type { ClientBase, Pool } from 'pg'
import type { UserActor } from '../domain/actor.ts'

export interface User {
  readonly id: string
  /** In lower case. */
  readonly email: string
  readonly passwordHash: string
  readonly createdAt: Date
}

type Client = Pick<ClientBase, 'query'> | Pick<Pool, 'query'>

/** @returns false when somebody has this email already. */
export async function insertUser(client: Client, { id, email, passwordHash, createdAt }: User): Promise<boolean> {
  const { rowCount } = await client.query(
    'INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING',
    [id, email, passwordHash, createdAt],
  )
  return rowCount === 1
}

export async function findUser(client: Client, email: string): Promise<User | undefined> {
  const { rows } = await client.query<UserRow>(
    'SELECT id, email, password_hash, created_at FROM users WHERE email = $1',
    [email],
  )
  const [row] = rows
  return row && { id: row.id, email: row.email, passwordHash: row.password_hash, createdAt: row.created_at }
}

interface UserRow {
  readonly id: string
  readonly email: string
  readonly password_hash: string
  readonly created_at: Date
}

/**
 * Replaces one password by another and ends all other sessions of the user.
 * @returns false when the password has been changed since `from` was read.
 */
export async function replacePassword(
  client: ClientBase,
  { id, session }: UserActor,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  const { rowCount } = await client.query('UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2', [
    id,
    from,
    to,
  ])
  if (rowCount !== 1) return false
  await client.query('DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2', [id, session])
  return true
}
