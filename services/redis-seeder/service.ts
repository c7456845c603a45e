import { copyOrganisations, type Copied } from '../account/copy-organisations.ts'
import { openPostgres } from '../account/postgres.ts'
import { closeRedis, connectRedis } from '../account/redis.ts'
import type { RunningFunction, Runtime, Variables } from '../wire/runtime.ts'
import { parseConfig } from './config.ts'
import { parseEvent } from './domain/event.ts'
import { parsePlace } from './domain/place.ts'
import { type Plan, planAll, planOne } from './dry-run.ts'
import { markSeeded, openGeneration } from './generation.ts'
import { seedAll } from './seed-all.ts'

/** What an invocation answers. */
export interface Seeded extends Copied {
  readonly tookMs: number
  /** Time was too short: `{"seed_all": true, "after": "<next>"}` goes on. */
  readonly next?: string
}

/** What a dry run answers. */
export interface Planned extends Plan {
  readonly dryRun: true
}

/** No page takes this long. */
const LAST_PAGE_MS = 5_000

/**
 * Fills Redis from PostgreSQL, on deployment or after Redis was reset: `{"seed_all": true}` for every organisation,
 * `{"organisation": "<id>"}` for one. What PostgreSQL does not know is removed. `"dry_run": true` only says what would
 * be done; `"force": true` overwrites a Redis that is ahead of PostgreSQL. It ends before its time is up and then
 * answers where to go on.
 */
export async function start(variables: Variables, { clock, ids, log }: Runtime): Promise<RunningFunction> {
  const config = parseConfig(variables)
  const postgres = openPostgres(config.DATABASE_URL, { name: 'redis-seeder', log })
  const redis = await connectRedis(config.REDIS_URL, log)
  const stores = { pool: postgres.pool, redis }

  return {
    async handler(event, context): Promise<Seeded | Planned> {
      const wanted = parseEvent(event)
      if (wanted.isDryRun) {
        const plan = wanted.kind === 'all' ? await planAll(stores) : await planOne(stores, wanted.organisation)
        return { ...plan, dryRun: true }
      }

      const startedAt = clock.now()
      const { force } = wanted
      const copied =
        wanted.kind === 'one'
          ? await copyOrganisations(stores, [wanted.organisation], { force })
          : await fill(wanted.after, force, () => context.getRemainingTimeInMillis() < LAST_PAGE_MS)
      const seeded = { ...copied, tookMs: clock.now() - startedAt }
      log.info(seeded, 'organisations seeded')
      return seeded
    },
    async stop() {
      await Promise.all([postgres.end(), closeRedis(redis)])
    },
  }

  async function fill(after: string | undefined, force: boolean, isLate: () => boolean): ReturnType<typeof seedAll> {
    const generation = await openGeneration(redis, ids, { isResumed: after !== undefined })
    const pass = await seedAll(stores, { place: parsePlace(after), force, isLate })
    if (pass.next === undefined) await markSeeded(redis, generation)
    return pass
  }
}
