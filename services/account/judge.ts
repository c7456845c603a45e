import { type CachedOrganisation, readCachedOrganisations } from './cached-organisation.ts'
import { compare, type Disagreement } from './compare.ts'
import type { Stores } from './copy-organisations.ts'
import { readOrganisations, type StoredOrganisation } from './stored-organisation.ts'
import { readWaitingOf } from './sync-status.ts'

/** Changes that a queue still holds, those taken and not finished included. */
export interface QueueContents {
  /** Organisations that its messages name. */
  readonly organisations: ReadonlySet<string>
  /** Whether there are messages that nobody can look at. */
  readonly hasUnseen: boolean
}

/** Something that PostgreSQL and Redis do not agree on. */
export interface Finding extends Disagreement {
  /** Where a change is that will mend it. Absent: nothing that is underway will. */
  readonly inFlight?: InFlight
}

/** `unseen`: the queue holds messages that cannot be looked at, and one of them may be it. */
export type InFlight = 'outbox' | 'queue' | 'unseen'

/** Looks at the queue between db-sync and the function. Undefined where the system has none. */
export type QueueLook = (() => Promise<QueueContents>) | undefined

/** An organisation that changes this often while it is looked at is reported as it was seen last. */
const LOOKS = 5

/** What was found of one organisation. */
interface Suspect {
  readonly id: string
  /** Its version in PostgreSQL meanwhile; undefined where PostgreSQL has none. */
  readonly version: number | undefined
  readonly found: readonly Disagreement[]
}

/**
 * Looks at organisations, then for a change of each that is underway, and again at those without one: the change may have
 * arrived between the two. A change leaves the outbox only after it is in the queue, and the queue only after Redis has
 * it, so whoever looks in this order misses none.
 */
export async function judge(stores: Stores, ids: readonly string[], queue: QueueLook, look = 1): Promise<Finding[]> {
  const suspects: Suspect[] = []
  for (const id of ids) {
    const suspect = await examine(stores, id)
    if (suspect.found.length > 0) suspects.push(suspect)
  }
  if (suspects.length === 0) return []

  const placeOf = await traceChanges(stores, suspects, queue)
  const findings: Finding[] = []
  for (const { id, version, found } of suspects) {
    const inFlight = placeOf(id)
    // An older version never replaces a newer one: no change mends a copy that is ahead.
    if (inFlight !== undefined && !found.some(({ kind }) => kind === 'ahead')) {
      for (const each of found) findings.push({ ...each, inFlight })
      continue
    }
    const again = await examine(stores, id)
    // Another change has come meanwhile, which nobody has looked for yet.
    const isMoving = again.found.length > 0 && again.version !== version && look < LOOKS
    findings.push(...(isMoving ? await judge(stores, [id], queue, look + 1) : again.found))
  }
  return findings
}

/** Says of each suspect where a change of it is. */
async function traceChanges(
  { pool }: Stores,
  suspects: readonly Suspect[],
  inQueue: QueueLook,
): Promise<(id: string) => InFlight | undefined> {
  const ids = suspects.map(({ id }) => id)
  const inOutbox = await readWaitingOf({ pool }, ids)
  const queue = ids.every((id) => inOutbox.has(id)) ? undefined : await inQueue?.()
  return (id) => {
    if (inOutbox.has(id)) return 'outbox'
    if (queue?.organisations.has(id)) return 'queue'
    return queue?.hasUnseen ? 'unseen' : undefined
  }
}

/** What disagrees about one organisation, seen while its version stayed the same. */
async function examine(stores: Stores, id: string): Promise<Suspect> {
  let before = await readOne(stores, id)
  for (let look = 1; ; look += 1) {
    const [cached] = await readCached(stores, [before ?? { id, keyHashes: [], revokedKeyHashes: [] }])
    const found = cached ? compare(before, cached) : []
    const suspect = { id, version: before?.version, found }
    if (found.length === 0) return suspect
    const after = await readOne(stores, id)
    if (after?.version === before?.version || look === LOOKS) return suspect
    before = after
  }
}

async function readOne({ pool }: Stores, id: string): Promise<StoredOrganisation | undefined> {
  return (await readOrganisations(pool, [id])).organisations[0]
}

export function readCached(
  { redis }: Stores,
  stored: readonly Pick<StoredOrganisation, 'id' | 'keyHashes' | 'revokedKeyHashes'>[],
): Promise<CachedOrganisation[]> {
  return readCachedOrganisations(
    redis,
    stored.map(({ id, keyHashes, revokedKeyHashes }) => ({ id, hashes: [...keyHashes, ...revokedKeyHashes] })),
  )
}
