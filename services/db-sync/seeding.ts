import type { Redis } from 'ioredis'
import { redisKeys } from '../account/redis-keys.ts'
import { closeRedis, connectRedis } from '../account/redis.ts'
import type { Runtime } from '../wire/runtime.ts'
import { chanceOf } from './chance.ts'
import type { DbSyncConfig } from './config.ts'
import { backOffMs } from './domain/back-off.ts'
import type { InvokeSeeder } from './invoke-seeder.ts'

/** Sees to it that a Redis that came back empty is filled. */
export interface Seeding {
  stop(): Promise<void>
  kill(): void
}

/** One replica invokes the seeder; another takes over when it has not finished by then. */
const LEASE_MS = 60_000

/**
 * Looks for the seeder's marker on every new connection to Redis, and invokes the seeder until it is there. A FLUSHALL
 * under a living connection goes unnoticed, as in the cloud: somebody runs the seeding command then.
 */
export async function startSeeding(config: DbSyncConfig, { clock, ids, log }: Runtime): Promise<Seeding> {
  const { QUEUE_URL, REDIS_URL: url, SEEDER_FUNCTION_NAME: functionName } = config
  if (!QUEUE_URL || !url || !functionName) return { stop: () => Promise.resolve(), kill: () => undefined }

  const life = new AbortController()
  const redis = await connectRedis(url, log)
  let seeding: Promise<void> | undefined
  let seeder: InvokeSeeder | undefined
  const check = (): void => {
    seeding ??= seed().finally(() => (seeding = undefined))
  }
  redis.on('ready', check)
  if (redis.status === 'ready') check()

  async function seed(): Promise<void> {
    for (let attempt = 0; !life.signal.aborted; attempt += 1) {
      try {
        if ((await redis.exists(redisKeys.seeded)) === 1) return
        if (await takeLease(redis)) await invoke()
      } catch (error) {
        if (!life.signal.aborted) log.warn({ err: error }, 'redis is not seeded yet')
      }
      await clock.sleep(backOffMs(attempt, chanceOf(ids)), life.signal).catch(() => undefined)
    }
  }

  /** Takes the lease along when it fails, so that the next attempt need not wait for it to run out. */
  async function invoke(): Promise<void> {
    try {
      log.info({ function: functionName }, 'redis is empty, seeding it')
      seeder ??= (await import('./invoke-seeder.ts')).createSeeder(functionName ?? '', config)
      await seeder.seedAll(life.signal)
      log.info('redis is seeded')
    } finally {
      await redis.del(redisKeys.seeding).catch(() => undefined)
    }
  }

  function end(): void {
    life.abort()
    redis.off('ready', check)
    seeder?.abandon()
  }
  return {
    async stop() {
      end()
      await seeding
      await closeRedis(redis)
    },
    kill() {
      end()
      redis.disconnect()
    },
  }
}

async function takeLease(redis: Redis): Promise<boolean> {
  return (await redis.set(redisKeys.seeding, '1', 'PX', LEASE_MS, 'NX')) === 'OK'
}
