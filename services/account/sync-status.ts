import { type CachedOrganisation, isCached, readCachedOrganisations } from './cached-organisation.ts'
import type { Stores } from './copy-organisations.ts'

/** Changes that db-sync has not handed on yet. */
export interface OutboxStatus {
  readonly pending: number
  /** How often it could not hand on the one it has tried most. */
  readonly attempts: number
  /**
   * Since when the oldest waits, in epoch milliseconds: as PostgreSQL has it where it keeps commit timestamps, else since
   * db-sync tried it first. Undefined where nobody knows, or nothing waits.
   */
  readonly oldestAt: number | undefined
}

/** How far one organisation has come on its way from PostgreSQL to Redis. */
export interface SyncStatus {
  readonly organisation: string
  /** Undefined for an id that was never used. The version counts changes and goes on when an id is used again. */
  readonly stored: VersionStatus | undefined
  /** The copy that the proxies read. Undefined where there is none; a deletion leaves its mark for an hour. */
  readonly cached: CachedStatus | undefined
  readonly outbox: OutboxStatus
  readonly state: SyncState
  /** Versions that Redis is behind; negative where it is ahead, undefined where versions tell nothing. */
  readonly lag: number | undefined
}

export interface VersionStatus {
  readonly version: number
  /** The version is that of the deletion. */
  readonly isDeleted: boolean
}

export interface CachedStatus {
  /** Undefined where Redis has an organisation without its version. */
  readonly version: number | undefined
  readonly isDeleted: boolean
}

export type SyncState = 'in-step' | 'behind' | 'ahead'

/** Reads how far organisations have come, in the order of their ids. */
export async function readSyncStatus({ pool, redis }: Stores, ids: readonly string[]): Promise<SyncStatus[]> {
  const { rows } = await pool.query<Row & OutboxRow>(READ_SOME, [ids])
  const cached = await readCachedOrganisations(
    redis,
    rows.map(({ id }) => ({ id, hashes: [] })),
  )
  return rows.map(({ id, version, is_there, ...outbox }, index) => {
    // An organisation that nothing has changed since versions are counted is of version 0.
    const stored = version === null && !is_there ? undefined : { version: version ?? 0, isDeleted: !is_there }
    const copy = toCachedStatus(cached[index])
    const status = { organisation: id, stored, cached: copy, outbox: toOutbox(outbox) }
    return Object.assign(status, measure(stored, copy))
  })
}

/** The whole outbox. */
export async function readOutbox({ pool }: Pick<Stores, 'pool'>): Promise<OutboxStatus> {
  const { rows } = await pool.query<OutboxRow>(READ_OUTBOX)
  return toOutbox(rows[0])
}

/** Organisations with a change in the outbox, the one that waits longest first. */
export async function readWaiting({ pool }: Pick<Stores, 'pool'>, count: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(READ_WAITING, [count])
  return rows.map(({ id }) => id)
}

/** Those of the organisations with a change in the outbox. */
export async function readWaitingOf(
  { pool }: Pick<Stores, 'pool'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>(READ_WAITING_OF, [ids])
  return new Set(rows.map(({ id }) => id))
}

function measure(
  stored: VersionStatus | undefined,
  cached: CachedStatus | undefined,
): Pick<SyncStatus, 'state' | 'lag'> {
  const isStored = stored !== undefined && !stored.isDeleted
  const isCopied = cached !== undefined && !cached.isDeleted
  // Of a deletion, Redis need not know more than that there is nothing.
  if (!isStored && !isCopied) return { state: 'in-step', lag: 0 }
  if (!stored) return { state: 'ahead', lag: undefined }
  if (cached?.version === undefined) return { state: 'behind', lag: isCopied ? undefined : stored.version }
  const lag = stored.version - cached.version
  if (lag === 0) return { state: isStored === isCopied ? 'in-step' : 'behind', lag }
  return { state: lag > 0 ? 'behind' : 'ahead', lag }
}

function toCachedStatus(cached: CachedOrganisation | undefined): CachedStatus | undefined {
  const version = cached?.fields['version']
  if (!cached || (version === undefined && !isCached(cached))) return undefined
  return { version: version === undefined ? undefined : Number(version), isDeleted: !isCached(cached) }
}

interface Row {
  readonly id: string
  readonly is_there: boolean
  readonly version: number | null
}

interface OutboxRow {
  readonly pending: number
  readonly attempts: number | null
  readonly oldest_at: Date | null
}

function toOutbox(row: OutboxRow | undefined): OutboxStatus {
  return {
    pending: row?.pending ?? 0,
    attempts: row?.attempts ?? 0,
    oldestAt: row?.oldest_at?.getTime(),
  }
}

/** A row that was marked is of the transaction that marked it, which came after the first attempt. */
const OUTBOX = `count(outbox.sequence)::int AS pending, max(outbox.attempts) AS attempts,
  min(least(outbox.tried_at, CASE WHEN current_setting('track_commit_timestamp') = 'on'
    THEN pg_xact_commit_timestamp(outbox.xmin) END)) AS oldest_at`

const READ_OUTBOX = `SELECT ${OUTBOX} FROM organisation_outbox outbox`

const READ_SOME = `
SELECT wanted.id, o.id IS NOT NULL AS is_there, v.version::float8 AS version, waiting.*
FROM (SELECT DISTINCT id FROM unnest($1::text[]) AS id) wanted
LEFT JOIN organisations o ON o.id = wanted.id
LEFT JOIN organisation_versions v ON v.organisation_id = wanted.id
CROSS JOIN LATERAL (SELECT ${OUTBOX} FROM organisation_outbox outbox WHERE organisation_id = wanted.id) waiting
ORDER BY wanted.id`

const READ_WAITING = `
SELECT organisation_id AS id FROM organisation_outbox GROUP BY organisation_id ORDER BY min(sequence) LIMIT $1`

const READ_WAITING_OF =
  'SELECT DISTINCT organisation_id AS id FROM organisation_outbox WHERE organisation_id = ANY ($1)'
