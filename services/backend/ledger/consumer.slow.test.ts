import * as fc from 'fast-check'
import { test } from 'vitest'
import { createMeter, type UsageEvent } from '../../account/metering.ts'
import { redisKeys } from '../../account/redis-keys.ts'
import { startListening, startRedis, type TestRedis, type TestService } from '../../account/testing.ts'
import { systemClock } from '../../wire/clock.ts'
import { silentLog } from '../../wire/log.ts'
import { start } from '../service.ts'
import { addOrganisation, ADMIN_TOKEN, ask, startBackend, startRelay, usePostgres } from '../testing.ts'

const openDatabase = usePostgres()

const GROUP = 'ledger'

function usageEvent(id: string, change: Partial<UsageEvent> = {}): UsageEvent {
  const at = Date.UTC(2026, 0, 31, 12)
  return { id, organisation: 'acme', keyHash: 'ab12', kind: 'file', path: '/v1/listen', seconds: 1, at, ...change }
}

/** Writes events as the proxies do. */
async function record({ client }: TestRedis, events: readonly UsageEvent[]): Promise<void> {
  const meter = createMeter({ redis: client, clock: systemClock, log: silentLog })
  await Promise.all(events.map((event) => meter.record(event)))
}

/** How many entries were taken by some task and not acknowledged. */
async function pending({ client }: TestRedis): Promise<number> {
  const [count] = (await client.xpending(redisKeys.usageEvents, GROUP)) as [number]
  return count
}

async function usage(backend: TestService): Promise<unknown> {
  return (await ask(backend, 'GET /organisations/acme/usage')).body['usage']
}

test('usage is summed by day and kind', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  await addOrganisation(database, 'acme')

  await record(backend.redis, [
    usageEvent('a', { seconds: 11.25, at: Date.UTC(2026, 0, 31, 23, 59, 59, 999) }),
    usageEvent('b', { seconds: 0.1 }),
    usageEvent('c', { seconds: 45, kind: 'stream' }),
    usageEvent('d', { seconds: 2, at: Date.UTC(2026, 1, 1) }),
    usageEvent('e', { seconds: 100, organisation: 'other' }),
  ])

  await expect
    .poll(() => usage(backend))
    .toEqual([
      { day: '2026-01-31', kind: 'file', seconds: 11.35, count: 2 },
      { day: '2026-01-31', kind: 'stream', seconds: 45, count: 1 },
      { day: '2026-02-01', kind: 'file', seconds: 2, count: 1 },
    ])
  await expect.poll(() => pending(backend.redis)).toBe(0)
})

test('two tasks count each event once, however often it comes', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const one = await startBackend(onTestFinished, database)
  await startListening(onTestFinished, start, one.variables)
  await addOrganisation(database, 'acme')
  const ids = fc.sample(fc.nat(99).map(String), { numRuns: 1_000, seed: 7 })

  await record(
    one.redis,
    ids.map((id) => usageEvent(id, { seconds: Number(id) })),
  )

  const distinct = [...new Set(ids)]
  const seconds = distinct.reduce((sum, id) => sum + Number(id), 0)
  const expected = [{ day: '2026-01-31', kind: 'file', seconds, count: distinct.length }]
  await expect.poll(() => usage(one), { timeout: 10_000 }).toEqual(expected)
  await expect.poll(() => pending(one.redis)).toBe(0)
  expect(await usage(one)).toEqual(expected)
})

test('what a task took and left when it was killed is finished by the next one', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const redis = await startRedis(onTestFinished)
  await record(redis, [usageEvent('a'), usageEvent('b')])
  await redis.client.xgroup('CREATE', redisKeys.usageEvents, GROUP, '0')
  await redis.client.xreadgroup('GROUP', GROUP, 'killed', 'COUNT', 1, 'STREAMS', redisKeys.usageEvents, '>')
  expect(await pending(redis)).toBe(1)

  const variables = { DATABASE_URL: database.url, REDIS_URL: redis.url, ADMIN_TOKEN }
  const backend = await startListening(onTestFinished, start, variables)
  await addOrganisation(database, 'acme')

  await expect.poll(() => usage(backend)).toMatchObject([{ seconds: 2, count: 2 }])
  await expect.poll(() => pending(redis)).toBe(0)
})

test('an entry that cannot be read is put aside, and the others are counted', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  await addOrganisation(database, 'acme')

  await backend.redis.client.xadd(redisKeys.usageEvents, '*', 'organisation', 'acme', 'seconds', 'many')
  await record(backend.redis, [usageEvent('a')])

  await expect.poll(() => usage(backend)).toMatchObject([{ count: 1 }])
  await expect.poll(() => pending(backend.redis)).toBe(0)
  // It stays where it can be looked at.
  const left = await backend.redis.client.xrange(redisKeys.usageEvents, '-', '+')
  expect(left.map(([, fields]) => fields)).toEqual([['organisation', 'acme', 'seconds', 'many']])
})

test('what is in the ledger leaves the stream, what is not stays', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const backend = await startBackend(onTestFinished, { ...database, url: relay.url })
  await addOrganisation(database, 'acme')
  const kept = (): Promise<number> => backend.redis.client.xlen(redisKeys.usageEvents)
  await record(backend.redis, [usageEvent('a'), usageEvent('a'), usageEvent('b')])
  await expect.poll(kept).toBe(0)
  await relay.cut()

  await record(backend.redis, [usageEvent('c'), usageEvent('d')])
  await expect.poll(() => pending(backend.redis)).toBeGreaterThan(0)
  expect(await kept()).toBe(2)
  await relay.mend()

  await expect.poll(kept, { timeout: 10_000 }).toBe(0)
  expect(await usage(backend)).toMatchObject([{ count: 4, seconds: 4 }])
})

test('usage is summed by the path that served it, and that of before by its kind', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  await addOrganisation(database, 'acme')

  await record(backend.redis, [
    usageEvent('a'),
    usageEvent('b', { path: '/transcribe' }),
    usageEvent('c', { path: '/v1/listen/pcm', kind: 'stream' }),
  ])
  const old = { organisation: 'acme', key: 'ab12', seconds: '1', at: '2026-01-31T12:00:00Z' }
  for (const kind of ['file', 'stream']) {
    const fields = Object.entries({ ...old, kind, id: `old ${kind}` }).flat()
    await backend.redis.client.xadd(redisKeys.usageEvents, '*', ...fields)
  }

  const byEndpoint = async (): Promise<unknown> =>
    (await ask(backend, 'GET /organisations/acme/usage?by=endpoint')).body['usage']
  await expect.poll(byEndpoint).toEqual([
    { endpoint: 'POST /transcribe', kind: 'file', seconds: 1, count: 1 },
    { endpoint: 'POST /v1/listen', kind: 'file', seconds: 2, count: 2 },
    { endpoint: 'WebSocket /v1/listen', kind: 'stream', seconds: 1, count: 1 },
    { endpoint: 'WebSocket /v1/listen/pcm', kind: 'stream', seconds: 1, count: 1 },
  ])
})

test('events wait while PostgreSQL is away', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const backend = await startBackend(onTestFinished, { ...database, url: relay.url })
  await addOrganisation(database, 'acme')
  await relay.cut()

  await record(backend.redis, [usageEvent('a'), usageEvent('b')])
  await expect.poll(() => pending(backend.redis)).toBeGreaterThan(0)
  await relay.mend()

  await expect.poll(() => usage(backend), { timeout: 10_000 }).toMatchObject([{ count: 2 }])
  await expect.poll(() => pending(backend.redis)).toBe(0)
})

test('a Redis that comes back empty is read from its beginning', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  await addOrganisation(database, 'acme')
  await record(backend.redis, [usageEvent('a')])
  await expect.poll(() => usage(backend)).toMatchObject([{ count: 1 }])

  await backend.redis.stop()
  await backend.redis.restart()
  await record(backend.redis, [usageEvent('b')])

  await expect.poll(() => usage(backend), { timeout: 10_000 }).toMatchObject([{ count: 2 }])
})

test('a Redis that is emptied while the ledger reads is read from its beginning', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  await addOrganisation(database, 'acme')
  await record(backend.redis, [usageEvent('a')])
  await expect.poll(() => usage(backend)).toMatchObject([{ count: 1 }])

  await backend.redis.client.flushall()
  await record(backend.redis, [usageEvent('b')])

  await expect.poll(() => usage(backend), { timeout: 10_000 }).toMatchObject([{ count: 2 }])
})
