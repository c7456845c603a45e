import { pino } from 'pino'
import { test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { testRuntime } from '../account/testing.ts'
import { addOrganisation, createSchema, startRelay, type TestDatabase, usePostgres } from '../backend/testing.ts'
import type { Log } from '../wire/log.ts'
import type { Running, Runtime } from '../wire/runtime.ts'
import { start } from './service.ts'

const openDatabase = usePostgres()

interface Line {
  readonly level: number
  readonly msg: string
  readonly organisation?: string
}

/** A real log, read back. */
function recordLog(): { readonly log: Log; readonly lines: Line[]; changes(): (string | undefined)[] } {
  const lines: Line[] = []
  const log = pino({ level: 'info', base: {} }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) })
  const changes = (): (string | undefined)[] =>
    lines.flatMap(({ msg, organisation }) => (msg === 'organisation changed' ? [organisation] : []))
  return { log, lines, changes }
}

async function started(
  onFinished: (cleanup: () => Promise<void>) => void,
  { url }: Pick<TestDatabase, 'url'>,
  runtime: Partial<Runtime>,
): Promise<Running> {
  const running = await start({ DATABASE_URL: url }, testRuntime(runtime))
  onFinished(() => running.stop())
  return running
}

async function listeners({ pool }: TestDatabase): Promise<number | null> {
  const { rowCount } = await pool.query(
    `SELECT FROM pg_stat_activity WHERE application_name = 'db-sync' AND datname = current_database()`,
  )
  return rowCount
}

test.for<[string, string]>([
  ['a new key', `INSERT INTO api_keys SELECT 'k', 'acme', repeat('b', 64), '', '', to_timestamp(0)`],
  ['a revoked key', `UPDATE api_keys SET revoked_at = to_timestamp(0)`],
  ['a deleted key', 'DELETE FROM api_keys'],
  ['other limits', 'UPDATE limits SET max_connections = 1'],
  ['another name', `UPDATE organisations SET name = 'Other'`],
  ['a deleted organisation', 'DELETE FROM organisations'],
])('hears of %s, by whatever hand', async ([, sql], { expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  await addOrganisation(database, 'acme', { hashes: ['a'.repeat(64)] })
  const { log, lines, changes } = recordLog()
  await started(onTestFinished, database, { log })

  await database.pool.query(sql)

  await expect.poll(changes).toEqual(['acme'])
  expect(lines[0]).toMatchObject({ level: pino.levels.values['info'] })
})

test('hears nothing of what is rolled back', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const { log, changes } = recordLog()
  await started(onTestFinished, database, { log })

  await database.pool.query(`BEGIN; INSERT INTO organisations VALUES ('rolled-back', '', to_timestamp(0)); ROLLBACK`)
  await addOrganisation(database, 'committed')

  await expect.poll(changes).toContain('committed')
  expect(changes()).not.toContain('rolled-back')
})

test('listens again after the server has hung up', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const { log, lines, changes } = recordLog()
  await started(onTestFinished, database, { log })

  expect(await database.hangUp('db-sync')).toBe(1)
  await expect.poll(() => lines.map(({ msg }) => msg)).toEqual(['postgres connection lost', 'listening again'])
  await addOrganisation(database, 'acme')

  await expect.poll(changes).toContain('acme')
})

test('tries again and again, on the clock, until the server is back', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const relay = await startRelay(onTestFinished, database.url)
  const clock = createVirtualClock(0)
  const { log, lines, changes } = recordLog()
  await started(onTestFinished, relay, { log, clock })

  await relay.cut()
  await expect.poll(() => lines.map(({ msg }) => msg)).toEqual(['postgres connection lost'])
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await expect.poll(() => clock.pending).toBe(1)
    await clock.advance(5_000)
  }
  expect(lines).toHaveLength(1)
  await relay.mend()
  await expect.poll(() => clock.pending).toBe(1)
  await clock.advance(5_000)

  await expect.poll(() => lines.map(({ msg }) => msg)).toContain('listening again')
  await addOrganisation(database, 'acme')
  await expect.poll(changes).toContain('acme')
})

test('stops twice, and while it waits, and is killed, and leaves no connection', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const { log, lines } = recordLog()
  const waiting = await started(onTestFinished, relay, { log, clock: createVirtualClock(0) })
  const [stopped, killed] = [await started(onTestFinished, database, {}), await started(onTestFinished, database, {})]
  expect(await listeners(database)).toBe(3)

  await relay.cut()
  await expect.poll(() => lines).toHaveLength(1)
  await Promise.all([waiting.stop(), stopped.stop(), stopped.stop()])
  killed.kill()

  await expect.poll(() => listeners(database)).toBe(0)
})

test('says at the start where it looked for PostgreSQL', async ({ expect }) => {
  await expect(start({}, testRuntime())).rejects.toThrow('DATABASE_URL is missing')
  await expect(start({ DATABASE_URL: 'postgres://u@127.0.0.1:1/x' }, testRuntime())).rejects.toThrow(
    'PostgreSQL at 127.0.0.1:1 cannot be reached',
  )
})
