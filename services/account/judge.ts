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
  const suspects = await examine(stores, ids)
  if (suspects.length === 0) return []
  const placeOf = await traceChanges(stores, suspects, queue)
  const without = suspects.filter(({ id }) => placeOf(id) === undefined)
  const again = new Map((await examine(stores, idsOf(without))).map((suspect) => [suspect.id, suspect]))

  const findings: Finding[] = []
  for (const { id, version, found } of suspects) {
    const inFlight = placeOf(id)
    if (inFlight !== undefined) {
      // An older version never replaces a newer one: no change mends a copy that is ahead.
      const isMendable = !found.some(({ kind }) => kind === 'ahead')
      for (const each of found) findings.push(isMendable ? { ...each, inFlight } : each)
      continue
    }
    const still = again.get(id)
    if (!still) continue
    // Another change has come meanwhile, which nobody has looked for yet.
    const isMoving = still.version !== version && look < LOOKS
    findings.push(...(isMoving ? await judge(stores, [id], queue, look + 1) : still.found))
  }
  return findings
}

/** Says of each suspect where a change of it is. */
async function traceChanges(
  { pool }: Stores,
  suspects: readonly Suspect[],
  inQueue: QueueLook,
): Promise<(id: string) => InFlight | undefined> {
  const ids = idsOf(suspects)
  const inOutbox = await readWaitingOf({ pool }, ids)
  const queue = ids.every((id) => inOutbox.has(id)) ? undefined : await inQueue?.()
  return (id) => {
    if (inOutbox.has(id)) return 'outbox'
    if (queue?.organisations.has(id)) return 'queue'
    return queue?.hasUnseen ? 'unseen' : undefined
  }
}

/** What disagrees about organisations, each seen while its version stayed the same. */
async function examine(stores: Stores, ids: readonly string[]): Promise<Suspect[]> {
  const settled: Suspect[] = []
  let open = ids
  let before = await readStored(stores, open)
  for (let look = 1; open.length > 0; look += 1) {
    const suspects = await compareAll(stores, open, before)
    const after = await readStored(stores, idsOf(suspects))
    const isSettled = ({ id, version }: Suspect): boolean => after.get(id)?.version === version || look === LOOKS
    settled.push(...suspects.filter(isSettled))
    open = idsOf(suspects.filter((suspect) => !isSettled(suspect)))
    before = after
  }
  return settled
}

async function compareAll(
  stores: Stores,
  ids: readonly string[],
  stored: ReadonlyMap<string, StoredOrganisation>,
): Promise<Suspect[]> {
  const cached = await readCached(
    stores,
    ids.map((id) => stored.get(id) ?? { id, keyHashes: [], revokedKeyHashes: [] }),
  )
  return cached.flatMap((copy) => {
    const one = stored.get(copy.id)
    const found = compare(one, copy)
    return found.length === 0 ? [] : [{ id: copy.id, version: one?.version, found }]
  })
}

async function readStored({ pool }: Stores, ids: readonly string[]): Promise<ReadonlyMap<string, StoredOrganisation>> {
  if (ids.length === 0) return new Map()
  const { organisations } = await readOrganisations(pool, ids)
  return new Map(organisations.map((organisation) => [organisation.id, organisation]))
}

function idsOf(suspects: readonly Suspect[]): string[] {
  return suspects.map(({ id }) => id)
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
