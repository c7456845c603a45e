import type { Pool } from 'pg'
import type { UsageEvent } from '../../account/metering.ts'

/** What an organisation used on one day, in UTC. */
export interface DailyUsage {
  /** `2026-01-31` */
  readonly day: string
  readonly kind: string
  readonly seconds: number
  /** Files, or live streams. */
  readonly count: number
}

/** Writes events into the ledger, each id once, however often it comes. @returns how many were new. */
export async function insertUsage(pool: Pool, events: readonly UsageEvent[], recordedAtMs: number): Promise<number> {
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
  ])
  return rowCount ?? 0
}

export async function sumUsage(pool: Pool, organisation: string): Promise<DailyUsage[]> {
  const { rows } = await pool.query<DailyUsage>(SUM, [organisation])
  return rows
}

const INSERT = `
INSERT INTO usage_ledger (event_id, organisation_id, key_hash, kind, seconds, ended_at, recorded_at)
SELECT event_id, organisation_id, key_hash, kind, seconds, to_timestamp(ended_at), to_timestamp($7::float8)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::float8[])
  AS event (event_id, organisation_id, key_hash, kind, seconds, ended_at)
ON CONFLICT (event_id) DO NOTHING`

const SUM = `
SELECT to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, kind, sum(seconds)::float8 AS seconds,
  count(*)::integer AS count
FROM usage_ledger WHERE organisation_id = $1
GROUP BY 1, 2 ORDER BY 1, 2`
