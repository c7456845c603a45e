import type { ClientBase, Pool } from 'pg'
import type { UserActor } from '../domain/actor.ts'

export interface Session {
  readonly tokenHash: string
  readonly user: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Opens a session, if the password is still the one that was checked. Sessions that have run out are cleared away. */
export async function insertSession(
  client: Pick<ClientBase, 'query'>,
  { tokenHash, user, createdAt, expiresAt }: Session,
  passwordHash: string,
): Promise<boolean> {
  await client.query('DELETE FROM sessions WHERE user_id = $1 AND expires_at <= $2', [user, createdAt])
  const { rowCount } = await client.query(
    `INSERT INTO sessions (token_hash, user_id, created_at, expires_at)
     SELECT $1, id, $3, $4 FROM users WHERE id = $2 AND password_hash = $5 FOR SHARE`,
    [tokenHash, user, createdAt, expiresAt, passwordHash],
  )
  return rowCount === 1
}

/** The user of a session that has not run out at `at`. */
export async function findSession(pool: Pool, tokenHash: string, at: Date): Promise<UserActor | undefined> {
  const { rows } = await pool.query<{ id: string; email: string; created_at: Date }>(
    `SELECT id, email, users.created_at FROM sessions JOIN users ON id = user_id
     WHERE token_hash = $1 AND expires_at > $2`,
    [tokenHash, at],
  )
  const [row] = rows
  return row && { kind: 'user', id: row.id, name: row.email, createdAt: row.created_at, session: tokenHash }
}

export async function deleteSession(pool: Pool, tokenHash: string): Promise<void> {
  await pool.query('DELETE FROM sessions WHERE token_hash = $1', [tokenHash])
}
