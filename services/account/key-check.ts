import type { Redis } from 'ioredis'
import { hashKey } from './keys.ts'
import { type Limits, parseLimits } from './limits.ts'
import { redisKeys } from './redis-keys.ts'

/** Who a good key belongs to. */
export interface Account {
  readonly organisation: string
  readonly keyHash: string
  readonly limits: Limits
}

/** The account of the first good key. */
export async function findAccount(redis: Redis, keys: readonly string[]): Promise<Account | undefined> {
  for (const key of keys) {
    const keyHash = hashKey(key)
    const organisation = await redis.get(redisKeys.apiKey(keyHash))
    if (organisation === null) continue
    const fields = await redis.hgetall(redisKeys.limits(organisation))
    // Deleted between the two questions: a tombstone has no limits.
    if (fields['deleted'] !== undefined) continue
    return { organisation, keyHash, limits: parseLimits(fields) }
  }
  return undefined
}
