import type { Pool } from 'pg'
import type { RecordedUsage } from '../domain/usage-entry.ts'

export type UsageGrouping = 'day' | 'key' | 'endpoint'

/** What an organisation used on one day, with one key or at one endpoint. */
export interface UsageSum {
  /** `2026-01-31`, in UTC. */
  readonly day?: string
  readonly key?: { readonly id: string; readonly name: string }
  readonly endpoint?: string
  readonly kind: string
  readonly seconds: number
  /** Files, or live streams. */
  readonly count: number
}

/** Writes events into the ledger, each id once, however often it comes. @returns how many were new. */
export async function insertUsage(pool: Pool, events: readonly RecordedUsage[], recordedAtMs: number): Promise<number> {
  // Two tasks that write the same events in different orders would wait for each other for ever.
  const sorted = events.toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const { rowCount } = await pool.query(INSERT, [
    sorted.map(({ id }) => id),
    sorted.map(({ organisation }) => organisation),
    sorted.map(({ keyHash }) => keyHash),
    sorted.map(({ kind }) => kind),
    sorted.map(({ seconds }) => seconds),
    sorted.map(({ at }) => at / 1_000),
    recordedAtMs / 1_000,
    sorted.map(({ path }) => path ?? null),
  ])
  return rowCount ?? 0
}

/** Days and keys in order; `from` is the first instant that counts, `to` the first that does not. */
export async function sumUsage(
  pool: Pool,
  organisation: string,
  { by, from, to }: { readonly by: UsageGrouping; readonly from?: Date | undefined; readonly to?: Date | undefined },
): Promise<UsageSum[]> {
  const { rows } = await pool.query<SumRow>(sumBy(GROUPS[by]), [organisation, from ?? null, to ?? null])
  return rows.map(({ name, key_name: keyName, ...sum }) => {
    if (by === 'day') return Object.assign(sum, { day: name ?? '' })
    if (by === 'endpoint') return Object.assign(sum, { endpoint: name ?? '' })
    return name === null ? sum : Object.assign(sum, { key: { id: name, name: keyName ?? '' } })
  })
}

interface SumRow {
  /** Day, endpoint or id of the key; null for a key that is gone. */
  readonly name: string | null
  readonly key_name: string | null
  readonly kind: string
  readonly seconds: number
  readonly count: number
}

/** Where no path is known, there was one endpoint for each kind. */
const GROUPS: Readonly<Record<UsageGrouping, string>> = {
  day: `to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  key: 'api_keys.id',
  endpoint: `CASE kind WHEN 'file' THEN 'POST ' ELSE 'WebSocket ' END || coalesce(path, '/v1/listen')`,
}

const INSERT = `
INSERT INTO usage_ledger (event_id, organisation_id, key_hash, kind, seconds, ended_at, recorded_at, path)
SELECT event_id, organisation_id, key_hash, kind, seconds, to_timestamp(ended_at), to_timestamp($7::float8), path
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::float8[], $8::text[])
  AS event (event_id, organisation_id, key_hash, kind, seconds, ended_at, path)
ON CONFLICT (event_id) DO NOTHING`

const sumBy = (name: string): string => `
SELECT ${name} AS name, max(api_keys.name) AS key_name, kind, sum(seconds)::float8 AS seconds, count(*)::integer AS count
FROM usage_ledger LEFT JOIN api_keys ON hash = key_hash
WHERE usage_ledger.organisation_id = $1
  AND ($2::timestamptz IS NULL OR ended_at >= $2) AND ($3::timestamptz IS NULL OR ended_at < $3)
GROUP BY 1, kind ORDER BY 1, kind`
