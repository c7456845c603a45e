import { test } from 'vitest'
import { redisKeys } from '../account/redis-keys.ts'
import { startRedis, testRuntime } from '../account/testing.ts'
import { addOrganisation, createSchema, startRelay, usePostgres } from '../backend/testing.ts'
import { start } from './service.ts'

const openDatabase = usePostgres()

type OnFinished = Parameters<typeof openDatabase>[0]
type Invoke = (...bodies: string[]) => Promise<unknown>

const [A, B] = ['a', 'b'].map((digit) => digit.repeat(64)) as [string, string]
const ALL_DONE = { batchItemFailures: [] }

/** The function, as the event source mapping sees it; messages are named m0, m1 and so on. */
async function load(onFinished: OnFinished, database: { url: string }, redis: { url: string }): Promise<Invoke> {
  const loaded = await start({ DATABASE_URL: database.url, REDIS_URL: redis.url }, testRuntime())
  onFinished(() => loaded.stop())
  const context = { functionName: 'org-sync', awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 }
  return (...bodies) => {
    const Records = bodies.map((body, index) => ({
      messageId: `m${index}`,
      receiptHandle: `handle-${index}`,
      body,
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {},
      eventSource: 'aws:sqs',
    }))
    return loaded.handler({ Records }, context)
  }
}

function changed(organisation: string, version = 1): string {
  return JSON.stringify({ organisation, version })
}

test('copies what the messages name, and nothing else', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  await addOrganisation(database, 'other', { hashes: [B] })
  const invoke = await load(onTestFinished, database, redis)

  expect(await invoke(changed('acme', 1), changed('acme', 2))).toEqual(ALL_DONE)

  expect((await redis.client.keys('*')).sort()).toEqual([`apikey:${A}`, 'org:acme:api_keys', 'org:acme:limits'])
})

test('the first event finds its connection open', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const sessions = async (): Promise<unknown> => {
    const text = `SELECT pid FROM pg_stat_activity WHERE application_name = 'org-sync' AND datname = current_database()`
    return (await database.pool.query(text)).rows
  }

  const invoke = await load(onTestFinished, database, await startRedis(onTestFinished))
  const before = await sessions()
  await invoke(changed('acme'))

  expect(before).toHaveLength(1)
  expect(await sessions()).toEqual(before)
})

test('removes what was deleted, and lets a late older fetch not bring it back', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  const relay = await startRelay(onTestFinished, redis.url)
  const [invoke, late] = [
    await load(onTestFinished, database, redis),
    await load(onTestFinished, database, relay),
  ] as const
  const fetched = `
    SELECT FROM pg_stat_activity WHERE application_name = 'org-sync' AND datname = current_database()
    AND state = 'idle' AND query_start > $1::timestamptz`
  const { rows } = await database.pool.query<{ time: string }>('SELECT clock_timestamp()::text AS time')

  relay.hold()
  const older = late(changed('acme'))
  await expect.poll(async () => (await database.pool.query(fetched, [rows[0]?.time])).rowCount).toBe(1)
  await database.pool.query('DELETE FROM organisations')
  expect(await invoke(changed('acme'), changed('never-there'))).toEqual(ALL_DONE)
  relay.letGo()

  expect(await older).toEqual(ALL_DONE)
  expect(await redis.client.keys('*')).toEqual([redisKeys.limits('acme')])
  await addOrganisation(database, 'acme', { hashes: [B] })
  await invoke(changed('acme'))
  expect(await redis.client.get(redisKeys.apiKey(B))).toBe('acme')
  expect(await redis.client.hexists(redisKeys.limits('acme'), 'deleted')).toBe(0)
  expect(await redis.client.pttl(redisKeys.limits('acme'))).toBe(-1)
})

test.for([
  'no json',
  '"text"',
  'null',
  '{}',
  '{"organisation":"","version":1}',
  '{"organisation":"a\\u0000b","version":1}',
  '{"organisation":"acme"}',
  '{"organisation":"acme","version":"1"}',
])('the message %s fails alone', async (body, { expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  const invoke = await load(onTestFinished, database, redis)

  expect(await invoke(body, changed('acme'))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] })

  expect(await redis.client.get(redisKeys.apiKey(A))).toBe('acme')
})

test('while either database is away the whole batch fails, and works later', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  const relay = await startRelay(onTestFinished, database.url)
  const invoke = await load(onTestFinished, relay, redis)

  await relay.cut()
  await expect(invoke(changed('acme'), 'poison')).rejects.toThrow()
  await relay.mend()
  await redis.stop()
  await expect(invoke(changed('acme'), 'poison')).rejects.toThrow()
  await redis.restart()

  await expect
    .poll(() => invoke(changed('acme'), 'poison').catch(() => undefined))
    .toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] })
  expect(await redis.client.get(redisKeys.apiKey(A))).toBe('acme')
})

test('an event that comes from no queue is an error', async ({ expect, onTestFinished }) => {
  const nowhere = { url: 'postgres://nobody@127.0.0.1:1/none' }
  const redis = await startRedis(onTestFinished)
  const loaded = await start({ DATABASE_URL: nowhere.url, REDIS_URL: redis.url }, testRuntime())
  onTestFinished(() => loaded.stop())

  const context = { functionName: 'org-sync', awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 }
  await expect(loaded.handler({ seed_all: true }, context)).rejects.toThrow('a batch of messages of a queue')
})
