import type { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { isCached, readCachedOrganisations, type Write, writeOrganisations } from './cached-organisation.ts'
import { readOrganisations, type StoredOrganisation } from './stored-organisation.ts'

export interface Stores {
  readonly pool: Pool
  readonly redis: Redis
}

/** How much was copied. */
export interface Copied {
  readonly organisations: number
  /** Keys in force. */
  readonly keys: number
  /** Organisations that Redis had and PostgreSQL has not. */
  readonly removed: number
  /** Ids of which Redis knew something newer. */
  readonly skipped: number
}

export interface CopyOptions {
  /** Overwrites a Redis that is ahead of PostgreSQL, as it is when the database was replaced by an older one. */
  readonly force?: boolean
}

/**
 * Copies what the proxies must know from PostgreSQL to Redis. Nothing is locked meanwhile: every write is guarded by the
 * version of what was read, so a revoked key never comes back because an older copy arrives later.
 */
export async function copyOrganisations(
  { pool, redis }: Stores,
  ids: readonly string[],
  options: CopyOptions = {},
): Promise<Copied> {
  if (ids.length === 0) return NOTHING
  const { organisations, deleted, unknown } = await readOrganisations(pool, ids)
  const put = await putOrganisations(redis, organisations, options)
  if (deleted.length + unknown.length === 0) return put

  const cached = await readVersions(redis, [...deleted.map(({ id }) => id), ...unknown])
  // Asked again after Redis was: what Redis had by then and PostgreSQL still does not know was never there.
  const never = unknown.length > 0 ? (await readOrganisations(pool, unknown)).unknown : []
  const removals: Removal[] = deleted.map(({ id, version }) => ({ action: 'remove', id, version }))
  for (const id of never) {
    const version = cached.get(id)
    if (version !== undefined) removals.push({ action: 'forget', id, version })
  }
  const done = await writeOrganisations(redis, removals, options)
  return {
    ...put,
    removed: removals.filter(({ id }, index) => done[index] && cached.has(id)).length,
    skipped: put.skipped + done.filter((isDone) => !isDone).length,
  }
}

/** Writes organisations that were read just now. */
export async function putOrganisations(
  redis: Redis,
  organisations: readonly StoredOrganisation[],
  options: CopyOptions = {},
): Promise<Copied> {
  const writes = organisations.map((organisation): Write => ({ action: 'put', organisation }))
  const done = await writeOrganisations(redis, writes, options)
  const written = organisations.filter((_, index) => done[index])
  return {
    organisations: written.length,
    keys: written.reduce((sum, { keyHashes }) => sum + keyHashes.length, 0),
    removed: 0,
    skipped: organisations.length - written.length,
  }
}

type Removal = Exclude<Write, { action: 'put' }>

/** Before anything is copied. */
export const NOTHING: Copied = { organisations: 0, keys: 0, removed: 0, skipped: 0 }

/** Versions of those that Redis has more of than a tombstone; '' where the version itself is lost. */
async function readVersions(redis: Redis, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const cached = await readCachedOrganisations(
    redis,
    ids.map((id) => ({ id, hashes: [] })),
  )
  return new Map(cached.filter(isCached).map(({ id, fields }) => [id, fields['version'] ?? '']))
}
