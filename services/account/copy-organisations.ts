import type { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { readCachedIds, removeOrganisations, writeOrganisations } from './cached-organisation.ts'
import { transaction } from './postgres.ts'
import { readLockedOrganisations, readOrganisationIds } from './stored-organisation.ts'

export interface Stores {
  readonly pool: Pool
  readonly redis: Redis
}

/** How much was copied. */
export interface Copied {
  readonly organisations: number
  /** Keys in force. */
  readonly keys: number
}

/** Few enough that one pipeline stays small. */
const PAGE = 50

/**
 * Copies what the proxies must know from PostgreSQL to Redis. Locks keep the organisations as they are until Redis has
 * them, so a revoked key never comes back because an older copy arrives later. Those that exist no more are removed.
 */
export async function copyOrganisations({ pool, redis }: Stores, ids: readonly string[]): Promise<Copied> {
  if (ids.length === 0) return { organisations: 0, keys: 0 }
  return transaction(pool, async (client) => {
    const organisations = await readLockedOrganisations(client, ids)
    await writeOrganisations(redis, organisations)
    const known = new Set(organisations.map(({ id }) => id))
    const gone = ids.filter((id) => !known.has(id))
    if (gone.length > 0) await removeOrganisations(redis, gone)
    return { organisations: organisations.length, keys: organisations.flatMap(({ keyHashes }) => keyHashes).length }
  })
}

/** Copies every organisation, page by page, and removes from Redis those that PostgreSQL does not know. */
export async function copyAllOrganisations(stores: Stores): Promise<Copied> {
  const copied = { organisations: 0, keys: 0 }
  const seen = new Set<string>()
  const copy = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) seen.add(id)
    const page = await copyOrganisations(stores, ids)
    copied.organisations += page.organisations
    copied.keys += page.keys
  }

  let ids: string[] = []
  do {
    const after = ids.at(-1) ?? ''
    ids = await readOrganisationIds(stores.pool, { after, count: PAGE })
    await copy(ids)
  } while (ids.length === PAGE)

  // One that was created meanwhile is copied once more, not removed: PostgreSQL is asked again.
  for await (const cached of readCachedIds(stores.redis)) {
    const unseen = [...new Set(cached)].filter((id) => !seen.has(id))
    for (let start = 0; start < unseen.length; start += PAGE) await copy(unseen.slice(start, start + PAGE))
  }
  return copied
}
