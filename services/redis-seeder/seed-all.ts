import { FIRST_CURSOR, scanCached } from '../account/cached-organisation.ts'
import { copyOrganisations, type Copied, putOrganisations, type Stores } from '../account/copy-organisations.ts'
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
export const PAGE = 1_000

/**
 * Copies every organisation, page by page, then removes from Redis those that PostgreSQL does not know. It holds two pages
 * at most. However late it is, it makes some progress.
 */
export async function seedAll(stores: Stores, { place, force, isLate }: SeedAllOptions): Promise<Pass> {
  let total: Copied = { organisations: 0, keys: 0, removed: 0, skipped: 0 }
  let cursor = FIRST_CURSOR
  if (place.phase === 'sweep') cursor = place.cursor
  else {
    for await (const page of readPages(stores, place.after)) {
      total = sum(total, await putOrganisations(stores.redis, page, { force }))
      const last = page.at(-1)
      if (last && isLate()) return { ...total, next: last.id }
    }
  }
  for await (const { ids, cursor: next } of scanCached(stores.redis, cursor)) {
    const absent = await readAbsentIds(stores.pool, ids)
    total = sum(total, await copyOrganisations(stores, absent, { force }))
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
