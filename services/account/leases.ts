import type { Redis } from 'ioredis'
import { ApiError } from '../wire/api-error.ts'
import type { Clock, Timer } from '../wire/clock.ts'
import type { Account } from './key-check.ts'
import { redisKeys } from './redis-keys.ts'

/** A place among the open connections of an organisation. */
export interface Lease {
  /** Gives the place back. Never rejects: a lease that cannot be given back runs out. */
  release(): Promise<void>
  /** Stops renewing and leaves the lease to run out, as a crash would. */
  abandon(): void
}

/** A crashed program holds its places this long at most. */
const LEASE_MS = 60_000
/** Two renewals may fail before a living connection loses its place. */
const RENEW_MS = 20_000

/** Clears what has run out, then takes a place if one is free. Time comes from the caller. */
const ACQUIRE = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
return 1
`

/** @throws ApiError 429 when all places are taken. */
export async function acquireLease(redis: Redis, clock: Clock, account: Account, id: string): Promise<Lease> {
  const key = redisKeys.connections(account.organisation)
  const { maxConnections } = account.limits
  const now = clock.now()
  const acquired = await redis.eval(ACQUIRE, 1, key, now, maxConnections, now + LEASE_MS, id)
  if (Number(acquired) !== 1) {
    throw new ApiError(429, `All ${maxConnections} connections of the organisation are in use.`, {
      retryAfterSeconds: 1,
    })
  }

  let released: Promise<void> | undefined
  let timer: Timer = clock.after(RENEW_MS, renew)

  function renew(): void {
    timer = clock.after(RENEW_MS, renew)
    // A failure is made up for by the next renewal.
    redis.zadd(key, clock.now() + LEASE_MS, id).catch(() => undefined)
  }

  return {
    release() {
      timer.cancel()
      return (released ??= redis.zrem(key, id).then(
        () => undefined,
        () => undefined,
      ))
    },
    abandon: () => timer.cancel(),
  }
}
