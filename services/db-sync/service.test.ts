import { test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { startRedis, testRuntime } from '../account/testing.ts'
import { redisKeys } from '../account/redis-keys.ts'
import { addOrganisation, createSchema, startRelay, type TestDatabase, usePostgres } from '../backend/testing.ts'
import type { Running, Runtime, Variables } from '../wire/runtime.ts'
import { start } from './service.ts'
import { recordLog, startQueue, type TestQueue } from './testing.ts'

const openDatabase = usePostgres()

type OnFinished = Parameters<typeof openDatabase>[0]

async function started(
  onFinished: OnFinished,
  { url }: Pick<TestDatabase, 'url'>,
  { variables }: { readonly variables: Variables },
  runtime: Partial<Runtime> = {},
): Promise<Running> {
  const running = await start({ DATABASE_URL: url, ...variables }, testRuntime(runtime))
  onFinished(() => running.stop())
  return running
}

interface World {
  readonly database: TestDatabase
  readonly queue: TestQueue
}

async function openWorld(onFinished: OnFinished): Promise<World> {
  const database = await openDatabase(onFinished)
  await createSchema(database)
  return { database, queue: await startQueue(onFinished) }
}

async function connections({ pool }: TestDatabase): Promise<number> {
  const { rowCount } = await pool.query(
    `SELECT FROM pg_stat_activity WHERE application_name = 'db-sync' AND datname = current_database()`,
  )
  return rowCount ?? 0
}

async function waiting({ pool }: TestDatabase): Promise<number> {
  const { rowCount } = await pool.query('SELECT FROM organisation_outbox')
  return rowCount ?? 0
}

const addMany = `WITH added AS (
  INSERT INTO organisations SELECT 'org-' || n, '', to_timestamp(0) FROM generate_series(1, $1::int) AS n RETURNING id
) INSERT INTO limits SELECT id FROM added`

test('tells the queue of a change, by whatever hand, and forgets it', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  await started(onTestFinished, database, queue)

  await database.pool.query(`INSERT INTO organisations VALUES ('acme', '', to_timestamp(0))`)

  await expect.poll(queue.messages).toEqual([{ organisation: 'acme', version: 1 }])
  await expect.poll(() => waiting(database)).toBe(0)
})

test('what changed while nobody ran is told once, with its newest version', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: ['a'.repeat(64)] })
  await database.pool.query('DELETE FROM organisations')
  await addOrganisation(database, 'acme')
  await started(onTestFinished, database, queue)

  await expect.poll(queue.messages).toEqual([{ organisation: 'acme', version: 6 }])
})

test('one statement that changes 5000 organisations is told completely', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  await database.pool.query(addMany, [5_000])
  await database.pool.query('DELETE FROM organisation_outbox')
  await started(onTestFinished, database, queue)

  await database.pool.query('UPDATE limits SET max_connections = 1')

  await expect.poll(() => waiting(database), { timeout: 20_000 }).toBe(0)
  const told = queue.messages()
  expect(new Set(told.map(({ organisation }) => organisation)).size).toBe(5_000)
  expect(told).toHaveLength(5_000)
})

test('replicas side by side share the rows and never send one twice', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  for (const _ of [1, 2, 3]) await started(onTestFinished, database, queue)

  await database.pool.query(addMany, [2_000])
  await expect.poll(() => waiting(database), { timeout: 20_000 }).toBe(0)

  expect(queue.messages()).toHaveLength(2_000)
})

test('a row that one replica is sending is passed by, not waited for', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  let answer = (): void => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  queue.beforeAnswer = () => answered
  await started(onTestFinished, database, queue)
  await addOrganisation(database, 'slow')
  await expect.poll(queue.messages).toHaveLength(1)
  queue.beforeAnswer = () => Promise.resolve()
  await started(onTestFinished, database, queue)

  await addOrganisation(database, 'quick')
  await expect.poll(() => queue.messages().some(({ organisation }) => organisation === 'quick')).toBe(true)
  answer()

  await expect.poll(() => waiting(database)).toBe(0)
})

test('killed between sending and marking, it leaves the row to the next one', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  const first = await started(onTestFinished, database, queue)
  queue.beforeAnswer = () => {
    first.kill()
    return Promise.resolve()
  }
  await database.pool.query(`INSERT INTO organisations VALUES ('acme', '', to_timestamp(0))`)
  await expect.poll(queue.messages).toHaveLength(1)
  await expect.poll(() => connections(database)).toBe(0)
  expect(await waiting(database)).toBe(1)

  queue.beforeAnswer = () => Promise.resolve()
  await started(onTestFinished, database, queue)

  await expect.poll(() => waiting(database)).toBe(0)
  expect(queue.messages()).toEqual([
    { organisation: 'acme', version: 1 },
    { organisation: 'acme', version: 1 },
  ])
})

test('what the queue refuses of a batch stays, with the attempts, and is sent again', async ({
  expect,
  onTestFinished,
}) => {
  const { database, queue } = await openWorld(onTestFinished)
  queue.refuses = ({ organisation }) => organisation === 'org-3'
  await started(onTestFinished, database, queue)

  await database.pool.query(addMany, [5])
  const marks = async (): Promise<unknown> =>
    (await database.pool.query('SELECT attempts > 1 AS again, tried_at FROM organisation_outbox')).rows
  await expect.poll(marks).toEqual([{ again: true, tried_at: expect.any(Date) as unknown }])
  queue.refuses = () => false

  await expect.poll(() => waiting(database)).toBe(0)
  const told = queue.messages().map(({ organisation }) => organisation)
  expect(told.toSorted()).toEqual(['org-1', 'org-2', 'org-3', 'org-4', 'org-5'])
})

test('changes wait while the queue is away', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  const { log, messages } = recordLog()
  await started(onTestFinished, database, queue, { log })

  await queue.cut()
  await addOrganisation(database, 'acme')
  await expect.poll(messages).toEqual(['changes wait in the outbox'])
  await addOrganisation(database, 'beta')
  await queue.mend()

  await expect.poll(() => waiting(database), { timeout: 10_000 }).toBe(0)
  expect(new Set(queue.messages().map(({ organisation }) => organisation))).toEqual(new Set(['acme', 'beta']))
  await expect.poll(messages).toEqual(['changes wait in the outbox', 'forwarding again'])
})

test('after the server has hung up it listens again, and the catch-up query finds missed rows', async ({
  expect,
  onTestFinished,
}) => {
  const { database, queue } = await openWorld(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const clock = createVirtualClock(0)
  const { log, messages } = recordLog()
  await started(onTestFinished, relay, queue, { log, clock })
  await expect.poll(() => connections(database)).toBe(2)

  expect(await database.hangUp('db-sync')).toBe(2)
  await expect.poll(messages).toContain('postgres connection lost')
  await database.pool.query(`INSERT INTO organisations VALUES ('missed', '', to_timestamp(0))`)
  await expect
    .poll(async () => {
      await clock.advance(100)
      return queue.messages()
    })
    .toEqual([{ organisation: 'missed', version: 1 }])
  await expect.poll(messages).toContain('listening again')
})

test('a change whose notification was lost is found by the sweep', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  const clock = createVirtualClock(0)
  await started(onTestFinished, database, queue, { clock })

  await database.pool.query(`INSERT INTO organisation_outbox (organisation_id, version) VALUES ('silent', 3)`)
  await expect
    .poll(async () => {
      await clock.advance(1_000)
      return queue.messages()
    })
    .toEqual([{ organisation: 'silent', version: 3 }])
})

test('a connection that swallows everything is given up', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const { log, messages } = recordLog()
  const clock = createVirtualClock(0)
  await started(onTestFinished, relay, queue, { log, clock })
  await expect.poll(() => connections(database)).toBe(2)

  relay.hold()
  await clock.advance(4_000)

  await expect.poll(messages).toContain('postgres connection lost')
  relay.letGo()
})

test('starts before there is a schema', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const queue = await startQueue(onTestFinished)
  await started(onTestFinished, database, queue)

  await createSchema(database)
  await addOrganisation(database, 'acme')

  await expect.poll(() => queue.messages().at(-1)).toMatchObject({ organisation: 'acme' })
})

test('without a queue it copies to Redis', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await started(onTestFinished, database, { variables: { REDIS_URL: redis.url } })

  await addOrganisation(database, 'acme', { hashes: ['a'.repeat(64)] })

  await expect.poll(() => redis.client.get(redisKeys.apiKey('a'.repeat(64)))).toBe('acme')
  await expect.poll(() => waiting(database)).toBe(0)
})

test('stops twice, and while it waits, and is killed, and leaves no connection', async ({ expect, onTestFinished }) => {
  const { database, queue } = await openWorld(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const { log, messages } = recordLog()
  const away = await started(onTestFinished, relay, queue, { log, clock: createVirtualClock(0) })
  const stopped = await started(onTestFinished, database, queue)
  const killed = await started(onTestFinished, database, queue)
  await expect.poll(() => connections(database)).toBe(6)

  await relay.cut()
  await expect.poll(messages).toContain('postgres connection lost')
  await Promise.all([away.stop(), stopped.stop(), stopped.stop()])
  killed.kill()

  await expect.poll(() => connections(database)).toBe(0)
})

test('says at the start what is missing and where it looked', async ({ expect }) => {
  await expect(start({}, testRuntime())).rejects.toThrow('DATABASE_URL is missing')
  const DATABASE_URL = 'postgres://u@127.0.0.1:1/x'
  await expect(start({ DATABASE_URL }, testRuntime())).rejects.toThrow('QUEUE_URL or REDIS_URL')
  await expect(start({ DATABASE_URL, QUEUE_URL: 'http://127.0.0.1:1/0/q' }, testRuntime())).rejects.toThrow(
    'PostgreSQL at 127.0.0.1:1 cannot be reached',
  )
})
