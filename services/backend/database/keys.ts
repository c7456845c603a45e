import { type ClientBase, DatabaseError, type Pool } from 'pg'

/** A key as it is stored: whoever reads it cannot use it. */
export interface StoredKey {
  readonly id: string
  readonly name: string
  /** The first characters of the key, to tell keys apart. */
  readonly prefix: string
  readonly createdAt: Date
  readonly revokedAt: Date | undefined
}

export interface NewKeyRow extends Omit<StoredKey, 'revokedAt'> {
  readonly organisation: string
  readonly hash: string
}

const FOREIGN_KEY_VIOLATION = '23503'

/** @returns false when there is no such organisation. */
export async function insertKey(client: Pick<ClientBase, 'query'>, key: NewKeyRow): Promise<boolean> {
  try {
    await client.query(
      `INSERT INTO api_keys (id, organisation_id, hash, name, display_prefix, created_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [key.id, key.organisation, key.hash, key.name, key.prefix, key.createdAt],
    )
    return true
  } catch (error) {
    if (error instanceof DatabaseError && error.code === FOREIGN_KEY_VIOLATION) return false
    throw error
  }
}

/** The oldest first, revoked ones among them, beginning after the key with the id `after`; none when there is no such key. */
export async function listKeys(
  pool: Pool,
  organisation: string,
  { after, count }: { readonly after: string | undefined; readonly count: number },
): Promise<StoredKey[]> {
  const { rows } = await pool.query<Row>(
    `SELECT id, name, display_prefix, created_at, revoked_at FROM api_keys
     WHERE organisation_id = $1 AND ($2::text IS NULL OR (created_at, id) > (
       SELECT created_at, id FROM api_keys WHERE id = $2 AND organisation_id = $1))
     ORDER BY created_at, id LIMIT $3`,
    [organisation, after ?? null, count],
  )
  return rows.map(toKey)
}

/** Whether the organisation has this key, revoked or not. */
export async function hasKey(pool: Pool, organisation: string, id: string): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM api_keys WHERE organisation_id = $1 AND id = $2', [
    organisation,
    id,
  ])
  return rowCount === 1
}

/** A key that is not revoked, and will not be by anybody else until the transaction ends. */
export async function findKeyInForce(
  client: ClientBase,
  organisation: string,
  id: string,
): Promise<StoredKey | undefined> {
  const { rows } = await client.query<Row>(
    `SELECT id, name, display_prefix, created_at, revoked_at FROM api_keys
     WHERE organisation_id = $1 AND id = $2 AND revoked_at IS NULL FOR UPDATE`,
    [organisation, id],
  )
  return rows[0] && toKey(rows[0])
}

/** Revoking twice keeps the first time. @returns undefined when there is no such key. */
export async function revokeKey(
  client: ClientBase,
  { organisation, id, at }: { readonly organisation: string; readonly id: string; readonly at: Date },
): Promise<StoredKey | undefined> {
  const { rows } = await client.query<Row>(
    `UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE organisation_id = $1 AND id = $2
     RETURNING id, name, display_prefix, created_at, revoked_at`,
    [organisation, id, at],
  )
  return rows[0] && toKey(rows[0])
}

interface Row {
  readonly id: string
  readonly name: string
  readonly display_prefix: string
  readonly created_at: Date
  readonly revoked_at: Date | null
}

function toKey(row: Row): StoredKey {
  return {
    id: row.id,
    name: row.name,
    prefix: row.display_prefix,
    createdAt: row.created_at,
    revokedAt: row.revoked_at ?? undefined,
  }
}
