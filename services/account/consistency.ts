import { type CachedOrganisation, readCachedOrganisations, scanCached } from './cached-organisation.ts'
import { compare, type Disagreement } from './compare.ts'
import { copyOrganisations, type Stores } from './copy-organisations.ts'
import { redisKeys } from './redis-keys.ts'
import {
  readAbsentIds,
  readKeysInForce,
  readOrganisationPage,
  readOrganisations,
  type StoredOrganisation,
} from './stored-organisation.ts'

export type { Disagreement } from './compare.ts'

export interface CheckOptions {
  /** Absent: all of them, and every key that Redis accepts. */
  readonly organisation?: string | undefined
}

const PAGE = 500
/** An organisation that changes this often while it is looked at is reported as it was seen last. */
const LOOKS = 5

/**
 * Lists what PostgreSQL and Redis disagree about. Changes may go on: a suspect is looked at again while PostgreSQL holds
 * still. What has been changed and not yet copied is a disagreement.
 */
export async function* checkConsistency(
  stores: Stores,
  { organisation }: CheckOptions = {},
): AsyncIterable<Disagreement> {
  if (organisation !== undefined) {
    yield* await examine(stores, organisation)
    return
  }
  for await (const suspects of suspectsOf(stores)) {
    for (const id of suspects) yield* await examine(stores, id)
  }
  for await (const { ids, keyHashes } of scanCached(stores.redis)) {
    for (const id of await readAbsentIds(stores.pool, ids)) yield* await examine(stores, id)
    yield* await findOrphans(stores, keyHashes)
  }
}

/** Makes Redis say what PostgreSQL says by now, of every organisation and key that the disagreements name. */
export async function repairConsistency(stores: Stores, disagreements: readonly Disagreement[]): Promise<void> {
  for (let start = 0; start < disagreements.length; start += PAGE) {
    const some = disagreements.slice(start, start + PAGE)
    await forgetKeys(stores, some)
    const ahead = new Set(some.filter(({ kind }) => kind === 'ahead').map(({ organisation }) => organisation))
    const others = new Set(some.map(({ organisation }) => organisation).filter((id) => !ahead.has(id)))
    await copyOrganisations(stores, [...others])
    await copyOrganisations(stores, [...ahead], { force: true })
  }
}

/** What disagrees about one organisation, seen while its version stayed the same. */
async function examine(stores: Stores, id: string): Promise<Disagreement[]> {
  let before = await readOne(stores, id)
  for (let look = 1; ; look += 1) {
    const [cached] = await readCached(stores, [before ?? { id, keyHashes: [], revokedKeyHashes: [] }])
    const found = cached ? compare(before, cached) : []
    if (found.length === 0) return found
    const after = await readOne(stores, id)
    if (after?.version === before?.version || look === LOOKS) return found
    before = after
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

/** Takes back keys that are accepted though they are not in force, by whomever they are listed. */
async function forgetKeys({ pool, redis }: Stores, disagreements: readonly Disagreement[]): Promise<void> {
  const hashes = disagreements.flatMap(({ kind, keyHash }) =>
    kind === 'key-revoked-but-accepted' && keyHash !== undefined ? [keyHash] : [],
  )
  const inForce = await readKeysInForce(pool, hashes)
  const gone = hashes.filter((hash) => !inForce.has(hash))
  if (gone.length > 0) await redis.del(gone.map(redisKeys.apiKey))
}

async function readOne({ pool }: Stores, id: string): Promise<StoredOrganisation | undefined> {
  return (await readOrganisations(pool, [id])).organisations[0]
}

function readCached(
  { redis }: Stores,
  stored: readonly Pick<StoredOrganisation, 'id' | 'keyHashes' | 'revokedKeyHashes'>[],
): Promise<CachedOrganisation[]> {
  return readCachedOrganisations(
    redis,
    stored.map(({ id, keyHashes, revokedKeyHashes }) => ({ id, hashes: [...keyHashes, ...revokedKeyHashes] })),
  )
}

function named(owners: readonly (string | null)[]): string[] {
  return [...new Set(owners.filter((owner) => owner !== null))]
}
