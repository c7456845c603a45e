import type { Stores } from './copy-organisations.ts'
import { redisKeys } from './redis-keys.ts'

/** How far one organisation has come on its way from PostgreSQL to Redis. */
export interface SyncStatus {
  readonly organisation: string
  /** Counts its changes, by PostgreSQL; it goes on when the organisation is deleted and created again. */
  readonly storedVersion: number | undefined
  /** Of the copy that the proxies read, or of its deletion. */
  readonly cachedVersion: number | undefined
  /** Changes that db-sync has not handed on yet. */
  readonly pending: number
}

/** Reads one organisation's status, or that of every organisation with something underway. */
export async function readSyncStatus({ pool, redis }: Stores, organisation?: string): Promise<SyncStatus[]> {
  const { rows } = await pool.query<Row>(organisation === undefined ? UNDERWAY : ONE, [organisation ?? MOST_LISTED])
  const cached = await Promise.all(rows.map(({ id }) => redis.hget(redisKeys.limits(id), 'version')))
  return rows.map(({ id, version, pending }, index) => ({
    organisation: id,
    storedVersion: version ?? undefined,
    cachedVersion: toVersion(cached[index]),
    pending,
  }))
}

/** Changes that wait in the outbox, of all organisations. */
export async function countPending({ pool }: Pick<Stores, 'pool'>): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM organisation_outbox')
  return rows[0]?.count ?? 0
}

interface Row {
  readonly id: string
  readonly version: number | null
  readonly pending: number
}

/** As many as fit on a screen. */
const MOST_LISTED = 20

const ONE = `
SELECT $1::text AS id,
  (SELECT version::float8 FROM organisation_versions WHERE organisation_id = $1) AS version,
  (SELECT count(*)::int FROM organisation_outbox WHERE organisation_id = $1) AS pending`

const UNDERWAY = `
SELECT organisation_id AS id, max(v.version)::float8 AS version, count(*)::int AS pending
FROM organisation_outbox JOIN organisation_versions v USING (organisation_id)
GROUP BY organisation_id ORDER BY min(sequence) LIMIT $1`

function toVersion(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text)
}
