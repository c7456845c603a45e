import { type CachedOrganisation, readCachedOrganisations, scanCached } from './cached-organisation.ts'
import { compare, type Disagreement } from './compare.ts'
import type { Stores } from './copy-organisations.ts'
import { type Finding, judge, type QueueLook, readCached } from './judge.ts'
import { redisKeys } from './redis-keys.ts'
import {
  readAbsentIds,
  readKeysInForce,
  readOrganisationPage,
  readOrganisations,
  type StoredOrganisation,
} from './stored-organisation.ts'

export interface CheckOptions {
  /** Absent: all of them, and every key that Redis accepts. */
  readonly organisation?: string | undefined
  readonly inQueue?: QueueLook
}

const PAGE = 500

/**
 * Lists what PostgreSQL and Redis do not agree on, and tells what is merely underway from what nobody will mend. Changes
 * may go on: a suspect is looked at again while PostgreSQL holds still.
 */
export async function* checkConsistency(
  stores: Stores,
  { organisation, inQueue }: CheckOptions = {},
): AsyncIterable<Finding> {
  if (organisation !== undefined) {
    yield* await judge(stores, [organisation], inQueue)
    return
  }
  for await (const suspects of suspectsOf(stores)) yield* await judge(stores, suspects, inQueue)
  for await (const { ids, keyHashes } of scanCached(stores.redis)) {
    yield* await judge(stores, await readAbsentIds(stores.pool, ids), inQueue)
    yield* await findOrphans(stores, keyHashes)
  }
}

/** Ids of organisations that PostgreSQL has and Redis seems to have otherwise, page by page. */
async function* suspectsOf(stores: Stores): AsyncIterable<string[]> {
  let page: StoredOrganisation[] = []
  do {
    page = await readOrganisationPage(stores.pool, { after: page.at(-1)?.id ?? '', count: PAGE })
    const cached = await readCached(stores, page)
    yield page.filter((stored, index) => isSuspect(stored, cached[index])).map(({ id }) => id)
  } while (page.length === PAGE)
}

function isSuspect(stored: StoredOrganisation, cached: CachedOrganisation | undefined): boolean {
  return cached === undefined || compare(stored, cached).length > 0
}

/**
 * Keys that Redis accepts and no organisation explains. They were in Redis before PostgreSQL was asked, so they are not
 * merely new.
 */
async function findOrphans({ pool, redis }: Stores, hashes: readonly string[]): Promise<Disagreement[]> {
  const inForce = await readKeysInForce(pool, hashes)
  const orphans = [...new Set(hashes)].filter((hash) => !inForce.has(hash))
  if (orphans.length === 0) return []
  const owners = await redis.mget(orphans.map(redisKeys.apiKey))
  const [stored, cached] = await Promise.all([
    readOrganisations(pool, named(owners)),
    readCachedOrganisations(
      redis,
      named(owners).map((id) => ({ id, hashes: [] })),
    ),
  ])
  // What these organisations list or have revoked was told with them.
  const told = new Set([
    ...stored.organisations.flatMap(({ revokedKeyHashes }) => revokedKeyHashes),
    ...cached.flatMap(({ listed }) => listed),
  ])
  return orphans.flatMap((keyHash, index): Disagreement[] => {
    const organisation = owners[index]
    if (!organisation || told.has(keyHash)) return []
    const detail = `key ${keyHash.slice(0, 12)}… is accepted and PostgreSQL does not know it`
    return [{ organisation, kind: 'key-revoked-but-accepted', detail, keyHash }]
  })
}

function named(owners: readonly (string | null)[]): string[] {
  return [...new Set(owners.filter((owner) => owner !== null))]
}
