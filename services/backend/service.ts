import type { FastifyInstance } from 'fastify'
import { openPostgres, type Postgres, toStartError } from '../account/postgres.ts'
import { closeRedis, connectRedis } from '../account/redis.ts'
import { createHttpApi } from '../wire/http-api.ts'
import { createInFlight } from '../wire/in-flight.ts'
import { silentLog } from '../wire/log.ts'
import { runningHttp } from '../wire/running-http.ts'
import type { Running, Runtime, Variables } from '../wire/runtime.ts'
import { type BackendConfig, parseConfig } from './config.ts'
import { migrate } from './database/migrate.ts'
import { startLedgerConsumer } from './ledger/consumer.ts'
import { migrations } from './migrations/all.ts'
import { addApi } from './routes/api.ts'
import { sendProblem } from './routes/problem.ts'
import type { RouteDeps } from './routes/route.ts'
import { applySeed, loadSeed } from './seed.ts'
import { createWriteThrough } from './write-through.ts'

/** Admin calls take milliseconds. */
const STOP_DEADLINE_MS = 400

/** The platform's backend: organisations, keys, limits and the ledger of usage. Ready when its schema is up to date. */
export async function start(variables: Variables, runtime: Runtime): Promise<Running> {
  const config = parseConfig(variables)
  const { clock, log, ids } = runtime
  const postgres = openPostgres(config.DATABASE_URL, { name: 'backend', log })
  const connecting = Promise.all([
    connectRedis(config.REDIS_URL, log),
    // The ledger says itself when its connection is away.
    connectRedis(config.REDIS_URL, silentLog),
  ])
  const inFlight = createInFlight()
  const app = createHttpApi(runtime, inFlight, sendProblem)
  const [redis, reader] = await connecting
  const { pool } = postgres
  const writeThrough = createWriteThrough({ pool, redis }, { clock, log })

  function abandon(): void {
    writeThrough.stop()
    redis.disconnect()
    reader.disconnect()
    postgres.abandon()
  }

  try {
    await Promise.all([
      prepareDatabase(postgres, config, runtime),
      addRoutes(app, { adminToken: config.ADMIN_TOKEN, pool, redis, writeThrough, clock, ids }),
    ])
  } catch (error) {
    abandon()
    throw toStartError(config.DATABASE_URL, error)
  }

  const ledger = startLedgerConsumer({ redis: reader, pool, clock, log, consumer: ids.uuid() })
  return runningHttp({
    app,
    inFlight,
    stopDeadlineMs: STOP_DEADLINE_MS,
    // What is in flight is a query; its own time limit ends it.
    cut: () => undefined,
    sever: () => Promise.resolve(),
    async release() {
      writeThrough.stop()
      await ledger.stop()
      await Promise.all([postgres.end(), closeRedis(redis)])
    },
    abandon() {
      ledger.abandon()
      abandon()
    },
  })
}

/** Brings the database up to date, for where another program serves in the place of this one. */
export async function prepare(variables: Variables, runtime: Runtime): Promise<void> {
  const config = parseConfig(variables)
  const postgres = openPostgres(config.DATABASE_URL, { name: 'backend', log: runtime.log })
  try {
    await prepareDatabase(postgres, config, runtime)
  } catch (error) {
    throw toStartError(config.DATABASE_URL, error)
  } finally {
    await postgres.end()
  }
}

async function prepareDatabase({ pool }: Postgres, config: BackendConfig, runtime: Runtime): Promise<void> {
  await migrate(pool, { migrations, clock: runtime.clock, log: runtime.log })
  if (config.SEED_FILE !== undefined) await applySeed(pool, await loadSeed(config.SEED_FILE), runtime)
}

async function addRoutes(app: FastifyInstance, deps: RouteDeps): Promise<void> {
  await addApi(app, deps)
  await app.ready()
}
