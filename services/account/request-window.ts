import type { Redis } from 'ioredis'
import { ApiError } from '../wire/api-error.ts'
import type { Clock } from '../wire/clock.ts'
import type { Account } from './key-check.ts'
import { redisKeys } from './redis-keys.ts'

const MINUTE_MS = 60_000

/** Counts, and forgets the counter some time after its minute. */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
`

/** Counts one more under `key`, which is forgotten `ttlMs` after its first count. */
export async function countOne(redis: Redis, key: string, ttlMs: number): Promise<number> {
  return Number(await redis.eval(COUNT, 1, key, ttlMs))
}

/** Counts a request in the running minute. @throws ApiError 429 with the seconds until the next one. */
export async function countRequest(redis: Redis, clock: Clock, { organisation, limits }: Account): Promise<void> {
  const { requestsPerMinute } = limits
  if (requestsPerMinute === undefined) return
  const now = clock.now()
  const key = redisKeys.requests(organisation, Math.floor(now / MINUTE_MS))
  const count = await countOne(redis, key, 2 * MINUTE_MS)
  if (count <= requestsPerMinute) return
  throw new ApiError(429, `More than ${requestsPerMinute} requests in a minute.`, {
    retryAfterSeconds: Math.ceil((MINUTE_MS - (now % MINUTE_MS)) / 1_000),
  })
}
