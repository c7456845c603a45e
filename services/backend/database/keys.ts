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

/** The oldest first, revoked ones among them. */
export async function listKeys(pool: Pool, organisation: string): Promise<StoredKey[]> {
  const { rows } = await pool.query<Row>(
    `SELECT id, name, display_prefix, created_at, revoked_at FROM api_keys
     WHERE organisation_id = $1 ORDER BY created_at, id`,
    [organisation],
  )
  return rows.map(toKey)
}

/** Revoking twice keeps the first time. @returns undefined when there is no such key. */
export async function revokeKey(
  pool: Pool,
  { organisation, id, at }: { readonly organisation: string; readonly id: string; readonly at: Date },
): Promise<StoredKey | undefined> {
  const { rows } = await pool.query<Row>(
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
