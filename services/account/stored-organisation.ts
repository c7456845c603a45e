import type { Pool } from 'pg'
import { DEFAULT_MAX_CONNECTIONS, type Limits } from './limits.ts'

/** What the proxies must know of an organisation, as PostgreSQL has it. */
export interface StoredOrganisation {
  readonly id: string
  /** Of the keys in force. */
  readonly keyHashes: readonly string[]
  readonly revokedKeyHashes: readonly string[]
  readonly limits: Limits
  /** Grows with every change of the organisation, its limits or its keys, and goes on when an id is used again. */
  readonly version: number
}

/** An organisation that was deleted. */
export interface DeletedOrganisation {
  readonly id: string
  /** That of its deletion. */
  readonly version: number
}

/** What PostgreSQL says of some ids. */
export interface StoredAnswer {
  readonly organisations: readonly StoredOrganisation[]
  readonly deleted: readonly DeletedOrganisation[]
  /** Ids that it has never heard of. */
  readonly unknown: readonly string[]
}

/** One query, so that version, limits and keys are of one moment. */
export async function readOrganisations(pool: Pool, ids: readonly string[]): Promise<StoredAnswer> {
  const { rows } = await pool.query<Row>(READ_SOME, [ids])
  return {
    organisations: rows.filter(({ is_there }) => is_there).map(toOrganisation),
    deleted: rows.flatMap(({ id, is_there, version }) => (is_there || version === null ? [] : [{ id, version }])),
    unknown: rows.flatMap(({ id, is_there, version }) => (is_there || version !== null ? [] : [id])),
  }
}

/** Organisations in the order of their ids, beginning after `after`. */
export async function readOrganisationPage(
  pool: Pool,
  { after, count }: { readonly after: string; readonly count: number },
): Promise<StoredOrganisation[]> {
  const { rows } = await pool.query<Row>(READ_PAGE, [after, count])
  return rows.map(toOrganisation)
}

/** Those of the ids that are no organisation, deleted or never heard of. */
export async function readAbsentIds(pool: Pool, ids: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(READ_ABSENT, [ids])
  return rows.map(({ id }) => id)
}

/** Those of the key hashes that are in force. */
export async function readKeysInForce(pool: Pool, hashes: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ hash: string }>(READ_KEYS, [hashes])
  return new Set(rows.map(({ hash }) => hash))
}

interface Row {
  readonly id: string
  readonly is_there: boolean
  readonly max_connections: number | null
  readonly requests_per_minute: number | null
  /** Null: never changed, which only those are that never were. */
  readonly version: number | null
  readonly in_force: string | null
  readonly revoked: string | null
}

/** Hashes are hexadecimal, so they are joined: the driver reads one text much faster than an array. */
const COLUMNS = `l.max_connections, l.requests_per_minute, v.version::float8 AS version, k.in_force, k.revoked`

const KEYS = `
  string_agg(hash, ',') FILTER (WHERE revoked_at IS NULL) AS in_force,
  string_agg(hash, ',') FILTER (WHERE revoked_at IS NOT NULL) AS revoked
FROM api_keys`

const JOINS = `
LEFT JOIN limits l ON l.organisation_id = o.id
LEFT JOIN LATERAL (SELECT ${KEYS} WHERE organisation_id = o.id) k ON true`

const IN_PAGE = 'organisation_id > $1 AND organisation_id <= (SELECT last FROM ends)'

/** A stretch of each table is read once and put together; a look-up for each organisation takes three times as long. */
const READ_PAGE = `
WITH page AS MATERIALIZED (SELECT id FROM organisations WHERE id > $1 ORDER BY id LIMIT $2),
ends AS MATERIALIZED (SELECT max(id) AS last FROM page)
SELECT o.id, true AS is_there, ${COLUMNS}
FROM page o
LEFT JOIN (SELECT * FROM organisation_versions WHERE ${IN_PAGE}) v ON v.organisation_id = o.id
LEFT JOIN (SELECT * FROM limits WHERE ${IN_PAGE}) l ON l.organisation_id = o.id
LEFT JOIN (
  SELECT organisation_id, ${KEYS} WHERE ${IN_PAGE} GROUP BY organisation_id
) k ON k.organisation_id = o.id
ORDER BY o.id`

const READ_SOME = `
SELECT wanted.id, o.id IS NOT NULL AS is_there, ${COLUMNS}
FROM (SELECT DISTINCT id FROM unnest($1::text[]) AS id) wanted
LEFT JOIN organisations o ON o.id = wanted.id
LEFT JOIN organisation_versions v ON v.organisation_id = wanted.id ${JOINS}
ORDER BY wanted.id`

const READ_ABSENT = `
SELECT DISTINCT id FROM unnest($1::text[]) AS id
WHERE NOT EXISTS (SELECT FROM organisations o WHERE o.id = id.id)`

const READ_KEYS = 'SELECT hash FROM api_keys WHERE hash = ANY ($1) AND revoked_at IS NULL'

function toOrganisation(row: Row): StoredOrganisation {
  return {
    id: row.id,
    keyHashes: toHashes(row.in_force),
    revokedKeyHashes: toHashes(row.revoked),
    limits: {
      maxConnections: row.max_connections ?? DEFAULT_MAX_CONNECTIONS,
      requestsPerMinute: row.requests_per_minute ?? undefined,
    },
    version: row.version ?? 0,
  }
}

function toHashes(joined: string | null): string[] {
  return joined === null ? [] : joined.split(',')
}
