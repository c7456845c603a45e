/**
 * From the commit of an organisation's change in PostgreSQL to the moment Redis has it, through trigger, NOTIFY,
 * db-sync, queue and function: one change at a time, then a steady stream. The environment has a process of its own; this
 * one writes, and asks Redis every millisecond. Usage: `tsx scripts/bench/sync.ts [idle changes] [seconds]`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { systems } from '../../fixtures/systems/index.ts'
import { startEnvironment } from '../../emulator/core/environment.ts'
import { parseChoice } from '../../emulator/core/system.ts'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'

const IDLE_CHANGES = 200
const IDLE_PAUSE_MS = 20
const LOAD_SECONDS = 10
const CHANGES_PER_SECOND = 500
const ORGANISATIONS = 1_000
const TARGETS_MS = { idle: 25, load: 100 }

if (process.send) await serve(process.send.bind(process))
else await measure(Number(process.argv[2] ?? IDLE_CHANGES), Number(process.argv[3] ?? LOAD_SECONDS))

async function serve(send: (message: unknown) => void): Promise<void> {
  const baseDir = await mkdtemp(join(tmpdir(), 'aldea-bench-sync-'))
  const [system] = systems
  const environment = await startEnvironment({
    topology: system.describe(parseChoice(system, { engine: 'scripted' })),
    name: 'bench',
    baseDir,
    cacheDir: join(tmpdir(), 'aldea-bench-cache'),
    awsPort: 0,
    backends: { mode: 'embedded', urls: {} },
    redisBinary: undefined,
    host: '127.0.0.1',
    port: 0,
    logLevel: 'warn',
    clock: systemClock,
    ids: systemIds,
  })
  send(environment.variables)
  await once(process, 'message')
  await environment.stop()
  await rm(baseDir, { recursive: true, force: true })
  process.disconnect()
}

async function measure(idleChanges: number, seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: process.execArgv })
  const [variables] = (await once(child, 'message')) as [Record<string, string>]
  const pool = new Pool({ connectionString: variables['DATABASE_URL'], max: 4 })
  const redis = new Redis(variables['REDIS_URL'] ?? '')
  await createOrganisations(pool)
  await arrival(redis, `org-${ORGANISATIONS}`, 1, performance.now())

  const idle: number[] = []
  for (let count = 0; count < idleChanges; count += 1) {
    idle.push(await change(pool, redis, `org-${(count % ORGANISATIONS) + 1}`, count + 2))
    await systemClock.sleep(IDLE_PAUSE_MS)
  }
  const load = await steadily(seconds * CHANGES_PER_SECOND, (count) =>
    change(pool, redis, `org-${(count % ORGANISATIONS) + 1}`, count + idleChanges + 2),
  )
  report('one at a time', idle, TARGETS_MS.idle)
  report(`${CHANGES_PER_SECOND} a second`, load, TARGETS_MS.load)

  child.send('end')
  redis.disconnect()
  await Promise.all([pool.end(), once(child, 'exit')])
}

async function createOrganisations(pool: Pool): Promise<void> {
  await pool.query(
    `INSERT INTO organisations SELECT 'org-' || n, '', to_timestamp(0) FROM generate_series(1, $1::int) n`,
    [ORGANISATIONS],
  )
  await pool.query(
    `INSERT INTO limits (organisation_id, max_connections) SELECT id, 1 FROM organisations WHERE id LIKE 'org-%'`,
  )
}

/** Milliseconds from the commit until Redis has this or a later value. */
async function change(pool: Pool, redis: Redis, organisation: string, value: number): Promise<number> {
  await pool.query('UPDATE limits SET max_connections = $2 WHERE organisation_id = $1', [organisation, value])
  return arrival(redis, organisation, value, performance.now())
}

async function arrival(redis: Redis, organisation: string, value: number, since: number): Promise<number> {
  for (;;) {
    const seen = Number(await redis.hget(`org:${organisation}:limits`, 'max_connections'))
    if (seen >= value) return performance.now() - since
    await systemClock.sleep(1)
  }
}

/** Starts `count` jobs evenly at the rate; returns what they return. */
async function steadily(count: number, job: (index: number) => Promise<number>): Promise<number[]> {
  const began = performance.now()
  const jobs: Promise<number>[] = []
  for (let index = 0; index < count; index += 1) {
    const dueInMs = began + (index * 1_000) / CHANGES_PER_SECOND - performance.now()
    if (dueInMs > 0) await systemClock.sleep(dueInMs)
    jobs.push(job(index))
  }
  return Promise.all(jobs)
}

function report(name: string, latencies: readonly number[], targetMs: number): void {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1)
  console.log(
    `${name}: ${sorted.length} changes, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (target p99 ≤ ${targetMs})`,
  )
}
