import { copyAllOrganisations, copyOrganisations, type Copied } from '../account/copy-organisations.ts'
import { openPostgres } from '../account/postgres.ts'
import { closeRedis, connectRedis } from '../account/redis.ts'
import type { RunningFunction, Runtime, Variables } from '../wire/runtime.ts'
import { parseConfig } from './config.ts'
import { parseEvent } from './domain/event.ts'

/** What an invocation answers. */
export interface Seeded extends Copied {
  readonly tookMs: number
}

/**
 * Fills Redis from PostgreSQL, on deployment or after Redis was reset: `{"seed_all": true}` for every organisation,
 * `{"organisation": "<id>"}` for one. What PostgreSQL does not know is removed.
 */
export async function start(variables: Variables, { clock, log }: Runtime): Promise<RunningFunction> {
  const config = parseConfig(variables)
  const postgres = openPostgres(config.DATABASE_URL, { name: 'redis-seeder', log })
  const redis = await connectRedis(config.REDIS_URL, log)
  const stores = { pool: postgres.pool, redis }

  return {
    async handler(event): Promise<Seeded> {
      const wanted = parseEvent(event)
      const startedAt = clock.now()
      const copied =
        wanted.kind === 'all'
          ? await copyAllOrganisations(stores)
          : await copyOrganisations(stores, [wanted.organisation])
      const seeded = { ...copied, tookMs: clock.now() - startedAt }
      log.info(seeded, 'organisations seeded')
      return seeded
    },
    async stop() {
      await Promise.all([postgres.end(), closeRedis(redis)])
    },
  }
}
