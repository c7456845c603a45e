import { test } from 'vitest'
import { findAccount } from '../account/key-check.ts'
import { hashKey } from '../account/keys.ts'
import { redisKeys } from '../account/redis-keys.ts'
import { startRedis, TEST_KEY, testRuntime, type TestRedis } from '../account/testing.ts'
import {
  addOrganisation,
  ask,
  createSchema,
  startBackend,
  startRelay,
  type TestDatabase,
  usePostgres,
} from '../backend/testing.ts'
import { type Seeded, start } from './service.ts'

const openDatabase = usePostgres()

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]

const ALL = { seed_all: true }

/** The function, as its caller sees it. */
async function load(
  onFinished: (cleanup: () => Promise<void>) => void,
  { url }: Pick<TestDatabase, 'url'>,
  redis: { readonly url: string },
): Promise<(event: unknown, remainingMs?: number) => Promise<unknown>> {
  const loaded = await start({ DATABASE_URL: url, REDIS_URL: redis.url }, testRuntime())
  onFinished(() => loaded.stop())
  return (event, remainingMs = 60_000) =>
    loaded.handler(event, {
      functionName: 'seeder',
      awsRequestId: 'request-1',
      getRemainingTimeInMillis: () => remainingMs,
    })
}

/** Everything in Redis of organisations and their keys. */
async function contents({ client }: TestRedis): Promise<Record<string, unknown>> {
  const names = (await client.keys('*')).filter((name) => !name.startsWith('sync:')).sort()
  const read: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
    string: (name) => client.get(name),
    set: async (name) => (await client.smembers(name)).sort(),
    hash: (name) => client.hgetall(name),
  }
  const values = names.map(async (name) => [name, await read[await client.type(name)]?.(name)] as const)
  return Object.fromEntries(await Promise.all(values))
}

/** Organisations `org-1` and so on, of two keys each. */
async function addMany({ pool }: TestDatabase, count: number): Promise<void> {
  await pool.query(`INSERT INTO organisations SELECT 'org-' || n, '', to_timestamp(0) FROM generate_series(1, $1) n`, [
    count,
  ])
  await pool.query('INSERT INTO limits (organisation_id) SELECT id FROM organisations')
  await pool.query(
    `INSERT INTO api_keys SELECT id || '-' || n, id, encode(sha256((id || n)::bytea), 'hex'), '', '', to_timestamp(0)
     FROM organisations, generate_series(1, 2) n`,
  )
}

test('writes the three kinds of keys of the architecture, and nothing else', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A, B], revoked: [C] })
  await addOrganisation(database, 'empty')
  await database.pool.query(`UPDATE limits SET requests_per_minute = 60 WHERE organisation_id = 'acme'`)
  const invoke = await load(onTestFinished, database, redis)

  const answer = await invoke(ALL)

  expect(answer).toEqual({
    organisations: 2,
    keys: 2,
    removed: 0,
    skipped: 0,
    tookMs: expect.any(Number) as unknown,
  })
  const version = expect.stringMatching(/^\d+$/) as unknown
  expect(await contents(redis)).toEqual({
    'org:acme:api_keys': [A, B],
    'org:acme:limits': { max_connections: '10', requests_per_minute: '60', version },
    'org:empty:limits': { max_connections: '10', version },
    [`apikey:${A}`]: 'acme',
    [`apikey:${B}`]: 'acme',
  })
})

test('a second run after Redis was emptied, and a third over what is there, give the same', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  const invoke = await load(onTestFinished, database, redis)
  await invoke(ALL)
  const first = await contents(redis)

  await redis.client.flushall()
  await invoke(ALL)
  expect(await contents(redis)).toEqual(first)
  await invoke(ALL)
  expect(await contents(redis)).toEqual(first)
})

test('removes keys that were revoked, limits that were lifted and organisations that are gone', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A, B] })
  await addOrganisation(database, 'gone', { hashes: [C] })
  await database.pool.query('UPDATE limits SET requests_per_minute = 60')
  const invoke = await load(onTestFinished, database, redis)
  await invoke(ALL)

  await database.pool.query('UPDATE api_keys SET revoked_at = to_timestamp(0) WHERE hash = $1', [A])
  await database.pool.query('UPDATE limits SET requests_per_minute = NULL')
  await database.pool.query(`DELETE FROM organisations WHERE id = 'gone'`)
  await invoke(ALL)

  expect(await contents(redis)).toEqual({
    'org:acme:api_keys': [B],
    'org:acme:limits': { max_connections: '10', version: expect.any(String) as unknown },
    'org:gone:limits': { deleted: '1', version: expect.any(String) as unknown },
    [`apikey:${B}`]: 'acme',
  })
})

test('a revoked key goes even when its organisation had lost it', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { revoked: [A] })
  await redis.client.set(redisKeys.apiKey(A), 'acme')
  const invoke = await load(onTestFinished, database, redis)

  await invoke(ALL)

  expect(await redis.client.exists(redisKeys.apiKey(A))).toBe(0)
})

test('what is none of its business stays', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme')
  const invoke = await load(onTestFinished, database, redis)
  await redis.client.mset(redisKeys.requests('acme', 1), '5', 'mine', 'too')

  await invoke(ALL)

  expect(await redis.client.mget(redisKeys.requests('acme', 1), 'mine')).toEqual(['5', 'too'])
})

test('one organisation is copied, or removed, without the others', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  await addOrganisation(database, 'other', { hashes: [B] })
  const invoke = await load(onTestFinished, database, redis)

  expect(await invoke({ organisation: 'acme' })).toMatchObject({ organisations: 1, keys: 1 })
  expect(Object.keys(await contents(redis))).toEqual([`apikey:${A}`, 'org:acme:api_keys', 'org:acme:limits'])
  await database.pool.query(`DELETE FROM organisations WHERE id = 'acme'`)
  expect(await invoke({ organisation_id: 'acme' })).toMatchObject({ organisations: 0, keys: 0, removed: 1 })
  expect(Object.keys(await contents(redis))).toEqual(['org:acme:limits'])
  expect(await redis.client.pttl(redisKeys.limits('acme'))).toBeGreaterThan(0)
})

test('thousands of organisations are copied in pieces, each as long as its time allows', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addMany(database, 5_000)
  await redis.client.hset(redisKeys.limits('stranger'), { max_connections: '1', version: '3' })
  const invoke = await load(onTestFinished, database, redis)

  const totals = { organisations: 0, keys: 0, removed: 0 }
  let invocations = 0
  let next: string | undefined
  do {
    const answer = (await invoke(next === undefined ? ALL : { ...ALL, after: next }, 1)) as Seeded
    invocations += 1
    for (const name of ['organisations', 'keys', 'removed'] as const) totals[name] += answer[name]
    expect(await redis.client.exists(redisKeys.seeded)).toBe(answer.next === undefined ? 1 : 0)
    next = answer.next
  } while (next !== undefined)

  expect(totals).toEqual({ organisations: 5_000, keys: 10_000, removed: 1 })
  expect(invocations).toBeGreaterThan(5)
  expect((await redis.client.keys('apikey:*')).length).toBe(10_000)
  expect((await redis.client.keys('org:*:api_keys')).length).toBe(5_000)
  expect(await redis.client.exists(redisKeys.limits('stranger'))).toBe(0)
})

test('a Redis that is emptied between two pieces is not taken for a seeded one', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addMany(database, 1_001)
  const invoke = await load(onTestFinished, database, redis)
  const { next } = (await invoke(ALL, 1)) as Seeded

  await redis.client.flushall()

  await expect(invoke({ ...ALL, after: next })).rejects.toThrow('Redis was emptied while it was seeded')
  expect(await redis.client.exists(redisKeys.seeded)).toBe(0)
})

test('a dry run says what would be done and does nothing', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  await addOrganisation(database, 'other', { hashes: [B] })
  await redis.client.hset(redisKeys.limits('stranger'), { max_connections: '1', version: '3' })
  const invoke = await load(onTestFinished, database, redis)
  await invoke({ organisation: 'acme' })
  const before = await contents(redis)

  expect(await invoke({ ...ALL, dry_run: true })).toEqual({
    dryRun: true,
    organisations: 2,
    keys: 2,
    differing: 1,
    removed: 1,
  })
  expect(await invoke({ organisation: 'other', dry_run: true })).toMatchObject({ organisations: 1, differing: 1 })
  expect(await invoke({ organisation: 'stranger', dry_run: true })).toMatchObject({ organisations: 0, removed: 1 })
  expect(await contents(redis)).toEqual(before)
  expect(await redis.client.exists(redisKeys.seeded)).toBe(0)
})

test('a Redis that is ahead keeps what it has unless it is forced', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [A] })
  await redis.client.hset(redisKeys.limits('acme'), { max_connections: '99', version: '1000' })
  const invoke = await load(onTestFinished, database, redis)

  expect(await invoke(ALL)).toMatchObject({ organisations: 0, skipped: 1 })
  expect(await redis.client.hget(redisKeys.limits('acme'), 'max_connections')).toBe('99')
  expect(await invoke({ ...ALL, force: true })).toMatchObject({ organisations: 1, skipped: 0 })
  expect(await redis.client.hget(redisKeys.limits('acme'), 'max_connections')).toBe('10')
})

test('emptied, Redis knows no key; seeded, it knows them all', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await addOrganisation(database, 'acme', { hashes: [hashKey(TEST_KEY)] })
  const invoke = await load(onTestFinished, database, redis)
  await invoke(ALL)

  await redis.client.flushall()
  expect(await findAccount(redis.client, [TEST_KEY])).toBeUndefined()
  await invoke(ALL)

  expect(await findAccount(redis.client, [TEST_KEY])).toMatchObject({ organisation: 'acme' })
})

test('a key that is revoked between reading and writing does not come back', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  const { body } = await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme' } })
  const { id } = body['key'] as { id: string }
  const relay = await startRelay(onTestFinished, backend.redis.url)
  const invoke = await load(onTestFinished, database, relay)
  const hasRead = async (): Promise<boolean> => {
    const { rowCount } = await database.pool.query(
      `SELECT FROM pg_stat_activity WHERE application_name = 'redis-seeder' AND state = 'idle' AND query LIKE '%string_agg%'`,
    )
    return rowCount === 1
  }

  relay.hold()
  const seeding = invoke({ organisation: 'acme' })
  await expect.poll(hasRead).toBe(true)
  const { status } = await ask(backend, `DELETE /organisations/acme/keys/${id}`)
  relay.letGo()

  expect(status).toBe(200)
  expect(await seeding).toMatchObject({ organisations: 0, skipped: 1 })
  expect(await backend.redis.client.keys('apikey:*')).toEqual([])
})

test.for<[unknown, string]>([
  [{}, 'it is {}'],
  [{ seed_all: false }, 'it is {"seed_all":false}'],
  [{ seed_all: 'true' }, 'it is {"seed_all":"true"}'],
  [{ organisation: '' }, 'it is {"organisation":""}'],
  [{ organisation: 'a\u0000b' }, 'it is {"organisation":"a\\u0000b"}'],
  [{ seed_all: true, after: 'no place' }, 'it is {"seed_all":true,"after":"no place"}'],
  [{ seed_all: true, organisation: 'acme' }, 'it is {"seed_all":true,"organisation":"acme"}'],
  [undefined, 'it is nothing'],
  ['x'.repeat(1_000), '…'],
])('%j is no event', async ([event, shown], { expect, onTestFinished }) => {
  const nowhere = { url: 'postgres://nobody@127.0.0.1:1/none' }
  const invoke = await load(onTestFinished, nowhere, await startRedis(onTestFinished))
  await expect(invoke(event)).rejects.toThrow('The event must be {"seed_all": true} or {"organisation": "<id>"}')
  await expect(invoke(event)).rejects.toThrow(shown)
})

test('a Redis that is away is an error, and the next invocation works', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  await addOrganisation(database, 'acme', { hashes: [A] })
  const redis = await startRedis(onTestFinished)
  const invoke = await load(onTestFinished, database, redis)
  await redis.stop()
  await expect(invoke(ALL)).rejects.toThrow()

  await redis.restart()
  await expect.poll(() => invoke(ALL).catch(() => undefined)).toMatchObject({ keys: 1 })
})
