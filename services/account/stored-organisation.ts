import type { ClientBase, Pool } from 'pg'
import { DEFAULT_MAX_CONNECTIONS, type Limits } from './limits.ts'

/** What the proxies must know of an organisation, as PostgreSQL has it. */
export interface StoredOrganisation {
  readonly id: string
  /** Of the keys in force. */
  readonly keyHashes: readonly string[]
  readonly revokedKeyHashes: readonly string[]
  readonly limits: Limits
  /** Grows with every change of limits or keys. */
  readonly version: number
}

/** Ids in order, beginning after `after`. */
export async function readOrganisationIds(
  pool: Pool,
  { after, count }: { readonly after: string; readonly count: number },
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM organisations WHERE id > $1 ORDER BY id LIMIT $2', [
    after,
    count,
  ])
  return rows.map(({ id }) => id)
}

/**
 * Reads organisations and keeps them as they are until the transaction ends: every change of keys or limits touches
 * the row of limits that is locked here. Those that do not exist are left out.
 */
export async function readLockedOrganisations(
  client: ClientBase,
  ids: readonly string[],
): Promise<StoredOrganisation[]> {
  await client.query('SELECT FROM limits WHERE organisation_id = ANY ($1) ORDER BY organisation_id FOR SHARE', [ids])
  // A second statement, for its snapshot must be younger than the locks.
  const { rows } = await client.query<Row>(READ, [ids])
  return rows.map((row) => ({
    id: row.id,
    keyHashes: row.key_hashes,
    revokedKeyHashes: row.revoked_key_hashes,
    limits: {
      maxConnections: row.max_connections ?? DEFAULT_MAX_CONNECTIONS,
      requestsPerMinute: row.requests_per_minute ?? undefined,
    },
    version: row.version,
  }))
}

interface Row {
  readonly id: string
  readonly key_hashes: string[]
  readonly revoked_key_hashes: string[]
  readonly max_connections: number | null
  readonly requests_per_minute: number | null
  readonly version: number
}

const READ = `
SELECT o.id, l.max_connections, l.requests_per_minute, coalesce(l.version, 0)::float8 AS version,
  ARRAY(SELECT hash FROM api_keys k WHERE k.organisation_id = o.id AND k.revoked_at IS NULL) AS key_hashes,
  ARRAY(SELECT hash FROM api_keys k WHERE k.organisation_id = o.id AND k.revoked_at IS NOT NULL) AS revoked_key_hashes
FROM organisations o LEFT JOIN limits l ON l.organisation_id = o.id
WHERE o.id = ANY ($1)
ORDER BY o.id`
