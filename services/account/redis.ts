import { Redis } from 'ioredis'
import type { Log } from '../wire/log.ts'

/**
 * A connection that comes back by itself. While Redis is away every command fails at once: nothing waits in a queue
 * that a client has long forgotten. Resolves after the first attempt, whatever its result.
 */
export async function connectRedis(url: string, log: Log): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempts) => Math.min(attempts * RETRY_STEP_MS, MAX_RETRY_MS),
  })
  let isAway = false
  redis.on('error', (error: unknown) => {
    if (isAway) return
    isAway = true
    log.warn({ err: error }, 'redis unreachable')
  })
  redis.on('ready', () => {
    if (isAway) log.info('redis reachable again')
    isAway = false
  })
  // The 'error' listener has told.
  await redis.connect().catch(() => undefined)
  return redis
}

/** Says goodbye, or hangs up when nobody is there to hear it. */
export async function closeRedis(redis: Redis): Promise<void> {
  await redis.quit().catch(() => undefined)
  redis.disconnect()
}

const CONNECT_TIMEOUT_MS = 2_000
/** A Redis that takes this long is as good as gone. */
const COMMAND_TIMEOUT_MS = 2_000
const RETRY_STEP_MS = 50
const MAX_RETRY_MS = 1_000
