import { FIRST_CURSOR, ORGANISATIONS_ONLY, scanCached } from '../account/cached-organisation.ts'
import {
  copyOrganisations,
  type Copied,
  NOTHING,
  putOrganisations,
  type Stores,
} from '../account/copy-organisations.ts'
import { readAbsentIds, readOrganisationPage, type StoredOrganisation } from '../account/stored-organisation.ts'
import { formatPlace, type Place } from './domain/place.ts'

export interface SeedAllOptions {
  readonly place: Place
  readonly force: boolean
  /** Whether there is no time for another page. */
  isLate(): boolean
}

export interface Pass extends Copied {
  /** Where to go on; absent when everything is done. */
  readonly next?: string
}

/** Organisations a query: enough to make a query's fixed cost small, few enough to keep memory small. */
const PAGE = 1_000
/** Of so many copied ids is remembered that they need not be asked for once more: some 20 MB. */
const MOST_REMEMBERED = 200_000

/**
 * Copies every organisation, page by page, then removes from Redis those that PostgreSQL does not know. It holds three
 * pages at most. However late it is, it makes some progress.
 */
export async function seedAll(stores: Stores, { place, force, isLate }: SeedAllOptions): Promise<Pass> {
  const known = new Set<string>()
  let copied = NOTHING
  if (place.phase === 'copy') {
    const pass = await copyPages(stores, { after: place.after, force, isLate, known })
    if (pass.next !== undefined) return pass
    copied = pass
  }
  const cursor = place.phase === 'sweep' ? place.cursor : FIRST_CURSOR
  const swept = await sweep(stores, { cursor, force, isLate, known })
  return { ...swept, ...sum(copied, swept) }
}

interface Phase extends Pick<SeedAllOptions, 'force' | 'isLate'> {
  readonly known: Set<string>
}

/** While Redis takes one page the next one is made ready, and the one after it is read. */
async function copyPages(
  stores: Stores,
  { after, force, isLate, known }: Phase & { readonly after: string },
): Promise<Pass> {
  let total = NOTHING
  let writing = Promise.resolve(NOTHING)
  for await (const page of readPages(stores, after)) {
    const previous = writing
    writing = putOrganisations(stores.redis, page, { force })
    // It is awaited below, unless the page before it fails first.
    writing.catch(() => undefined)
    total = sum(total, await previous)
    for (const { id } of page) if (known.size < MOST_REMEMBERED) known.add(id)
    const last = page.at(-1)
    if (last && isLate()) return { ...sum(total, await writing), next: last.id }
  }
  return sum(total, await writing)
}

async function sweep(
  stores: Stores,
  { cursor, force, isLate, known }: Phase & { readonly cursor: string },
): Promise<Pass> {
  let total = NOTHING
  for await (const { ids, cursor: next } of scanCached(stores.redis, { cursor, pattern: ORGANISATIONS_ONLY })) {
    const unknown = ids.filter((id) => !known.has(id))
    if (unknown.length > 0) {
      const absent = await readAbsentIds(stores.pool, unknown)
      total = sum(total, await copyOrganisations(stores, absent, { force }))
    }
    if (next !== FIRST_CURSOR && isLate()) return { ...total, next: formatPlace({ phase: 'sweep', cursor: next }) }
  }
  return total
}

/** While one page is used the next one is read. */
export async function* readPages({ pool }: Pick<Stores, 'pool'>, after: string): AsyncIterable<StoredOrganisation[]> {
  let reading = readOrganisationPage(pool, { after, count: PAGE })
  for (;;) {
    const page = await reading
    const last = page.length === PAGE ? page.at(-1) : undefined
    if (!last) {
      yield page
      return
    }
    reading = readOrganisationPage(pool, { after: last.id, count: PAGE })
    // Whoever asks for the next page is told; nobody does after an early end.
    reading.catch(() => undefined)
    yield page
  }
}

function sum(total: Copied, more: Copied): Copied {
  return {
    organisations: total.organisations + more.organisations,
    keys: total.keys + more.keys,
    removed: total.removed + more.removed,
    skipped: total.skipped + more.skipped,
  }
}
