import { copyOrganisations } from '../account/copy-organisations.ts'
import { openPostgres } from '../account/postgres.ts'
import { closeRedis, connectRedis } from '../account/redis.ts'
import type { Log } from '../wire/log.ts'
import type { Delivery } from './delivery.ts'

/** How many organisations are copied at a time. */
const PAGE = 50

/** Copies what has changed to Redis right here, for systems without a queue. */
export async function deliverToRedis(
  { databaseUrl, redisUrl }: { readonly databaseUrl: string; readonly redisUrl: string },
  log: Log,
): Promise<Delivery> {
  const redis = await connectRedis(redisUrl, log)
  const { pool, end, abandon } = openPostgres(databaseUrl, { name: 'db-sync', log })

  return {
    async deliver(changes, signal) {
      const organisations = new Set<string>()
      try {
        for (let start = 0; start < changes.length && !signal.aborted; start += PAGE) {
          const ids = changes.slice(start, start + PAGE).map(({ organisation }) => organisation)
          await copyOrganisations({ pool, redis }, ids)
          for (const id of ids) organisations.add(id)
        }
        return { organisations }
      } catch (failure) {
        return { organisations, failure }
      }
    },
    async stop() {
      await Promise.all([end(), closeRedis(redis)])
    },
    abandon() {
      abandon()
      redis.disconnect()
    },
  }
}
