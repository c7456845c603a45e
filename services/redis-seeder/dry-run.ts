import { ORGANISATIONS_ONLY, readCachedOrganisations, scanCached } from '../account/cached-organisation.ts'
import { compare } from '../account/compare.ts'
import type { Stores } from '../account/copy-organisations.ts'
import { readAbsentIds, readOrganisations, type StoredOrganisation } from '../account/stored-organisation.ts'
import { readPages } from './seed-all.ts'

/** What a run would do. */
export interface Plan {
  readonly organisations: number
  /** Keys in force. */
  readonly keys: number
  /** Of the organisations, those that Redis does not have like this already. */
  readonly differing: number
  /** Organisations that Redis has and PostgreSQL has not. */
  readonly removed: number
}

export async function planAll(stores: Stores): Promise<Plan> {
  const plan = { organisations: 0, keys: 0, differing: 0, removed: 0 }
  for await (const page of readPages(stores, '')) {
    plan.organisations += page.length
    plan.keys += countKeys(page)
    plan.differing += await countDiffering(stores, page)
  }
  for await (const { ids } of scanCached(stores.redis, { pattern: ORGANISATIONS_ONLY })) {
    plan.removed += await countCached(stores, await readAbsentIds(stores.pool, ids))
  }
  return plan
}

export async function planOne(stores: Stores, id: string): Promise<Plan> {
  const { organisations } = await readOrganisations(stores.pool, [id])
  return {
    organisations: organisations.length,
    keys: countKeys(organisations),
    differing: await countDiffering(stores, organisations),
    removed: organisations.length > 0 ? 0 : await countCached(stores, [id]),
  }
}

function countKeys(organisations: readonly StoredOrganisation[]): number {
  return organisations.reduce((sum, { keyHashes }) => sum + keyHashes.length, 0)
}

async function countDiffering({ redis }: Stores, organisations: readonly StoredOrganisation[]): Promise<number> {
  const cached = await readCachedOrganisations(
    redis,
    organisations.map(({ id, keyHashes, revokedKeyHashes }) => ({ id, hashes: [...keyHashes, ...revokedKeyHashes] })),
  )
  return cached.filter((each, index) => compare(organisations[index], each).length > 0).length
}

/** Of ids that PostgreSQL does not know, those that Redis has. */
async function countCached({ redis }: Stores, ids: readonly string[]): Promise<number> {
  const cached = await readCachedOrganisations(
    redis,
    ids.map((id) => ({ id, hashes: [] })),
  )
  return cached.filter((each) => compare(undefined, each).length > 0).length
}
