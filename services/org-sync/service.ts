import { copyOrganisations } from '../account/copy-organisations.ts'
import { openPostgres } from '../account/postgres.ts'
import { readOrganisations } from '../account/stored-organisation.ts'
import { closeRedis, connectRedis } from '../account/redis.ts'
import type { RunningFunction, Runtime, Variables } from '../wire/runtime.ts'
import { parseConfig } from './config.ts'
import { readBatch } from './domain/batch.ts'

/** AWS's answer to a batch: the messages to deliver again, or at last to the dead-letter queue. */
export interface BatchAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/**
 * Copies the organisations that a batch of messages names from PostgreSQL to Redis: a message only says that something
 * has changed, what it is now is fetched. A message that makes no sense fails alone; when a database is away the whole
 * batch does, and comes again.
 */
export async function start(variables: Variables, { log }: Runtime): Promise<RunningFunction> {
  const config = parseConfig(variables)
  const postgres = openPostgres(config.DATABASE_URL, { name: 'org-sync', log })
  const redis = await connectRedis(config.REDIS_URL, log)
  // The first event does not wait for a connection and its caches. A database that is away is the events' affair.
  await readOrganisations(postgres.pool, []).catch(() => undefined)

  return {
    async handler(event): Promise<BatchAnswer> {
      const { organisations, poison } = readBatch(event)
      for (const message of poison) log.error(message, 'message makes no sense')
      const copied = await copyOrganisations({ pool: postgres.pool, redis }, organisations)
      log.info({ ...copied, poison: poison.length }, 'organisations synchronised')
      return { batchItemFailures: poison.map(({ messageId }) => ({ itemIdentifier: messageId })) }
    },
    async stop() {
      await Promise.all([postgres.end(), closeRedis(redis)])
    },
  }
}
