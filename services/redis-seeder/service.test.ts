import { test } from 'vitest'
import { redisKeys } from '../account/redis-keys.ts'
import { startRedis, testRuntime, type TestRedis } from '../account/testing.ts'
import {
  addOrganisation,
  ask,
  createSchema,
  startBackend,
  startRelay,
  type TestDatabase,
  usePostgres,
} from '../backend/testing.ts'
import { start } from './service.ts'

const openDatabase = usePostgres()

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]

const ALL = { seed_all: true }

/** The function, as its caller sees it. */
async function load(
  onFinished: (cleanup: () => Promise<void>) => void,
  { url }: Pick<TestDatabase, 'url'>,
  redis: { readonly url: string },
): Promise<(event: unknown) => Promise<unknown>> {
  const loaded = await start({ DATABASE_URL: url, REDIS_URL: redis.url }, testRuntime())
  onFinished(() => loaded.stop())
  return (event) =>
    loaded.handler(event, { functionName: 'seeder', awsRequestId: 'request-1', getRemainingTimeInMillis: () => 1_000 })
}

/** Everything in Redis. */
async function contents({ client }: TestRedis): Promise<Record<string, unknown>> {
  const names = (await client.keys('*')).sort()
  const read: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
    string: (name) => client.get(name),
    set: async (name) => (await client.smembers(name)).sort(),
    hash: (name) => client.hgetall(name),
  }
  const values = names.map(async (name) => [name, await read[await client.type(name)]?.(name)] as const)
  return Object.fromEntries(await Promise.all(values))
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

  expect(answer).toEqual({ organisations: 2, keys: 2, tookMs: expect.any(Number) as unknown })
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
  expect(await invoke({ organisation: 'acme' })).toMatchObject({ organisations: 0, keys: 0 })
  expect(await contents(redis)).toEqual({})
})

test('hundreds of organisations are copied page by page', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const redis = await startRedis(onTestFinished)
  await database.pool.query(
    `INSERT INTO organisations SELECT 'org-' || n, '', to_timestamp(0) FROM generate_series(1, 251) n`,
  )
  await database.pool.query('INSERT INTO limits (organisation_id) SELECT id FROM organisations')
  await database.pool.query(
    `INSERT INTO api_keys SELECT id || '-' || n, id, encode(sha256((id || n)::bytea), 'hex'), '', '', to_timestamp(0)
     FROM organisations, generate_series(1, 2) n`,
  )
  const invoke = await load(onTestFinished, database, redis)

  expect(await invoke(ALL)).toMatchObject({ organisations: 251, keys: 502 })
  expect((await redis.client.keys('apikey:*')).length).toBe(502)
  expect((await redis.client.keys('org:*:api_keys')).length).toBe(251)
})

test('a key that is revoked between reading and writing does not come back', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  const { body } = await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme' } })
  const { id } = body['key'] as { id: string }
  const relay = await startRelay(onTestFinished, backend.redis.url)
  const invoke = await load(onTestFinished, database, relay)
  const states = async (): Promise<string[]> => {
    const { rows } = await database.pool.query<{ state: string }>(
      `SELECT concat_ws(' ', application_name, state, wait_event_type) AS state FROM pg_stat_activity`,
    )
    return rows.map(({ state }) => state)
  }

  relay.hold()
  const seeding = invoke(ALL)
  // It has read, and waits for Redis.
  await expect.poll(states).toContain('redis-seeder idle in transaction Client')
  let isRevoked = false
  const revoking = ask(backend, `DELETE /organisations/acme/keys/${id}`).finally(() => (isRevoked = true))
  await expect.poll(async () => isRevoked || (await states()).includes('backend active Lock')).toBe(true)
  relay.letGo()
  await Promise.all([seeding, revoking])

  expect(await backend.redis.client.keys('apikey:*')).toEqual([])
})

test.for<[unknown, string]>([
  [{}, 'it is {}'],
  [{ seed_all: false }, 'it is {"seed_all":false}'],
  [{ seed_all: 'true' }, 'it is {"seed_all":"true"}'],
  [{ organisation: '' }, 'it is {"organisation":""}'],
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
