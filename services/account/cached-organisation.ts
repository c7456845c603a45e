import type { ChainableCommander, Redis } from 'ioredis'
import { toLimitFields } from './limits.ts'
import { redisKeys } from './redis-keys.ts'
import type { StoredOrganisation } from './stored-organisation.ts'

/**
 * Makes Redis say of these organisations what PostgreSQL says, and nothing else: keys that are no longer in force go
 * first. Two round trips, however many organisations. The caller sees to it that none of them changes meanwhile.
 */
export async function writeOrganisations(redis: Redis, organisations: readonly StoredOrganisation[]): Promise<void> {
  const cached = await readKeyHashes(
    redis,
    organisations.map(({ id }) => id),
  )
  const pipeline = redis.pipeline()
  for (const organisation of organisations) write(pipeline, organisation, cached.get(organisation.id) ?? [])
  await execute(pipeline)
}

/** Forgets organisations that exist no more, with all their keys. */
export async function removeOrganisations(redis: Redis, ids: readonly string[]): Promise<void> {
  const cached = await readKeyHashes(redis, ids)
  const pipeline = redis.pipeline()
  for (const id of ids) {
    const hashes = cached.get(id) ?? []
    pipeline.del(...hashes.map(redisKeys.apiKey), redisKeys.apiKeys(id), redisKeys.limits(id))
  }
  await execute(pipeline)
}

/** Ids of all organisations that Redis knows of, some perhaps twice. */
export async function* readCachedIds(redis: Redis): AsyncIterable<string[]> {
  const [before = '', after = ''] = redisKeys.limits('*').split('*')
  let cursor = '0'
  do {
    const [next, names] = await redis.scan(cursor, 'MATCH', redisKeys.limits('*'), 'COUNT', SCAN_COUNT)
    yield names.map((name) => name.slice(before.length, name.length - after.length))
    cursor = next
  } while (cursor !== '0')
}

const SCAN_COUNT = 1_000

function write(pipeline: ChainableCommander, organisation: StoredOrganisation, cached: readonly string[]): void {
  const { id, keyHashes, revokedKeyHashes, limits, version } = organisation
  const inForce = new Set(keyHashes)
  const gone = [...new Set([...cached, ...revokedKeyHashes])].filter((hash) => !inForce.has(hash))
  if (gone.length > 0) {
    pipeline.del(...gone.map(redisKeys.apiKey))
    pipeline.srem(redisKeys.apiKeys(id), ...gone)
  }
  if (limits.requestsPerMinute === undefined) pipeline.hdel(redisKeys.limits(id), 'requests_per_minute')
  pipeline.hset(redisKeys.limits(id), toLimitFields(limits, version))
  if (keyHashes.length === 0) return
  pipeline.sadd(redisKeys.apiKeys(id), ...keyHashes)
  pipeline.mset(...keyHashes.flatMap((hash) => [redisKeys.apiKey(hash), id]))
}

async function readKeyHashes(redis: Redis, ids: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
  if (ids.length === 0) return new Map()
  const pipeline = redis.pipeline()
  for (const id of ids) pipeline.smembers(redisKeys.apiKeys(id))
  const answers = await execute(pipeline)
  return new Map(ids.map((id, index) => [id, answers[index] as string[]]))
}

/** @throws the first command's error. */
async function execute(pipeline: ChainableCommander): Promise<unknown[]> {
  const results = (await pipeline.exec()) ?? []
  return results.map(([error, result]) => {
    if (error) throw error
    return result
  })
}
