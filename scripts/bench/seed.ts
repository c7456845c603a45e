/**
 * How fast redis-seeder fills an empty Redis, and goes over a full one.
 *
 *   npm run bench seed [-- organisations]
 *
 * An embedded PostgreSQL and an installed redis-server with its append-only file, 100 000 organisations of two keys, and
 * the function through its door, called again with its `next` as long as it answers one. The first figure counts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { embeddedPostgres } from '../../emulator/backends/postgres/embedded.ts'
import { installedRedis } from '../../emulator/backends/redis/installed.ts'
import { openPostgres } from '../../services/account/postgres.ts'
import { migrate } from '../../services/backend/database/migrate.ts'
import { migrations } from '../../services/backend/migrations/all.ts'
import { type Seeded, start } from '../../services/redis-seeder/service.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { silentLog } from '../../services/wire/log.ts'
import { createShared } from '../../services/wire/shared.ts'

const TARGET_A_SECOND = 20_000
const count = Number(process.argv[2] ?? 100_000)

const folder = await mkdtemp(join(tmpdir(), 'aldea-bench-seed-'))
const runtime = { clock: systemClock, log: silentLog, ids: systemIds, shared: createShared() }
const postgres = await embeddedPostgres({ cacheDir: join(tmpdir(), 'aldea-test-cache') }).start({
  stateDir: join(folder, 'postgres'),
  port: 0,
  database: 'aldea',
  log: silentLog,
})
const redis = await installedRedis().start({ stateDir: join(folder, 'redis'), port: 0, log: silentLog })
const client = new Redis(redis.url)
try {
  await fillDatabase()
  const seeder = await start({ DATABASE_URL: postgres.url, REDIS_URL: redis.url }, runtime)
  await measure('an empty Redis', seeder.handler)
  await measure('a full Redis', seeder.handler)
  await client.flushall()
  await measure('an emptied Redis', seeder.handler)
  await seeder.stop()
} finally {
  client.disconnect()
  await redis.stop()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
}

async function fillDatabase(): Promise<void> {
  const { pool, end } = openPostgres(postgres.url, { name: 'bench', log: silentLog })
  await migrate(pool, { migrations, clock: systemClock, log: silentLog })
  const database = await pool.connect()
  await database.query('SET statement_timeout = 0')
  await database.query(
    `INSERT INTO organisations SELECT 'org-' || lpad(n::text, 7, '0'), '', to_timestamp(0) FROM generate_series(1, $1::int) n`,
    [count],
  )
  await database.query('INSERT INTO limits (organisation_id) SELECT id FROM organisations')
  await database.query(
    `INSERT INTO api_keys (id, organisation_id, hash, name, display_prefix, created_at)
     SELECT id || '-' || n, id, encode(sha256((id || n)::bytea), 'hex'), '', '', to_timestamp(0)
     FROM organisations, generate_series(1, 2) n`,
  )
  database.release()
  await end()
}

async function measure(what: string, handler: Awaited<ReturnType<typeof start>>['handler']): Promise<void> {
  const context = { functionName: 'redis-seeder', awsRequestId: 'bench', getRemainingTimeInMillis: () => 900_000 }
  const from = performance.now()
  let organisations = 0
  let next: string | undefined
  do {
    const answer = (await handler({ seed_all: true, ...(next !== undefined && { after: next }) }, context)) as Seeded
    organisations += answer.organisations
    next = answer.next
  } while (next !== undefined)
  const tookMs = performance.now() - from
  const aSecond = Math.round((organisations / tookMs) * 1_000)
  console.log(
    `${what}: ${organisations} organisations in ${Math.round(tookMs)} ms, ${aSecond} organisations/s (target ${TARGET_A_SECOND})`,
  )
}
