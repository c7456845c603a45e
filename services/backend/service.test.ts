import { readFile, rm, writeFile, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { hashKey } from '../account/keys.ts'
import { redisKeys } from '../account/redis-keys.ts'
import { startListening, startRedis, testRuntime, type TestRedis } from '../account/testing.ts'
import { createKey, listKeys, revokeKey } from '../client/keys.ts'
import { start } from './service.ts'
import {
  ADMIN_TOKEN,
  ask,
  startBackend,
  startRelay,
  type TestBackend,
  type TestDatabase,
  usePostgres,
} from './testing.ts'

const openDatabase = usePostgres()

const SEED_FILE = join(import.meta.dirname, '../../fixtures/seeds/demo.json')

/** What Redis says of an organisation. */
async function cached({ client }: TestRedis, organisation: string): Promise<unknown> {
  const hashes = await client.smembers(redisKeys.apiKeys(organisation))
  const owners = await Promise.all(hashes.map((hash) => client.get(redisKeys.apiKey(hash))))
  const { version: _version, ...limits } = await client.hgetall(redisKeys.limits(organisation))
  return { hashes: hashes.sort(), owners: [...new Set(owners)], limits }
}

/** Every value of every table, as text. */
async function dump({ pool }: TestDatabase): Promise<string> {
  const tables = ['organisations', 'limits', 'api_keys', 'usage_ledger', 'migrations']
  const rows = await Promise.all(tables.map(async (table) => (await pool.query(`SELECT * FROM ${table}`)).rows))
  return JSON.stringify(rows)
}

test('an organisation begins with one key that works at once, shown once and stored nowhere', async ({
  expect,
  onTestFinished,
}) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))

  const { status, body } = await ask(backend, 'POST /organisations', { body: { name: 'Acme & Søns', id: 'acme' } })

  expect(status).toBe(201)
  expect(body).toMatchObject({ id: 'acme', name: 'Acme & Søns', limits: { maxConnections: 10 } })
  const { key } = body['key'] as { key: string }
  expect(key).toMatch(/^org_[\w-]{32}$/)
  expect(await cached(backend.redis, 'acme')).toEqual({
    hashes: [hashKey(key)],
    owners: ['acme'],
    limits: { max_connections: '10' },
  })
  expect(await dump(backend.database)).toContain(hashKey(key))
  expect(await dump(backend.database)).not.toContain(key)
  expect(JSON.stringify((await ask(backend, 'GET /organisations/acme/keys')).body)).not.toContain(key)
})

test('keys come and go by the client of the command line, and Redis follows', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const created = await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme' } })
  const first = created.body['key'] as { id: string; key: string }
  const target = { url: backend.url, adminToken: ADMIN_TOKEN, organisationId: 'acme' }

  const second = await createKey(target, 'laptop')
  expect(await backend.redis.client.get(redisKeys.apiKey(hashKey(second.key)))).toBe('acme')

  await revokeKey(target, first.id)
  expect(await cached(backend.redis, 'acme')).toMatchObject({ hashes: [hashKey(second.key)] })
  expect(await backend.redis.client.exists(redisKeys.apiKey(hashKey(first.key)))).toBe(0)

  const keys = await listKeys(target)
  expect(keys).toMatchObject([
    { id: first.id, name: 'Acme', revokedAt: expect.any(String) as unknown },
    { id: second.id, name: 'laptop' },
  ])
  expect(keys[1]).not.toHaveProperty('revokedAt')
  await revokeKey(target, first.id)
  expect((await listKeys(target))[0]).toEqual(keys[0])
})

test('limits change in Redis too, and may be lifted', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const limits = { maxConnections: 2, requestsPerMinute: 60 }
  await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme', limits } })
  expect(await cached(backend.redis, 'acme')).toMatchObject({
    limits: { max_connections: '2', requests_per_minute: '60' },
  })

  const answer = await ask(backend, 'PUT /organisations/acme/limits', { body: { maxConnections: 3 } })

  expect(answer).toMatchObject({ status: 200, body: { maxConnections: 3 } })
  expect(await cached(backend.redis, 'acme')).toMatchObject({ limits: { max_connections: '3' } })
  expect(await backend.redis.client.hexists(redisKeys.limits('acme'), 'requests_per_minute')).toBe(0)
})

test('the version in Redis grows with every change of keys and limits', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const version = async (): Promise<number> =>
    Number(await backend.redis.client.hget(redisKeys.limits('acme'), 'version'))

  await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme' } })
  const versions = [await version()]
  const { body } = await ask(backend, 'POST /organisations/acme/keys', { body: { name: 'laptop' } })
  versions.push(await version())
  await ask(backend, `DELETE /organisations/acme/keys/${String(body['id'])}`)
  versions.push(await version())
  await ask(backend, 'PUT /organisations/acme/limits', { body: { maxConnections: 3 } })
  versions.push(await version())

  expect(versions).toEqual([...new Set(versions)].sort((one, other) => one - other))
})

test('organisations are listed by id, a page at a time', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  const ids = Array.from({ length: 101 }, (_, index) => `org-${1_000 + index}`)
  await database.pool.query('INSERT INTO organisations SELECT id, id, to_timestamp(0) FROM unnest($1::text[]) AS id', [
    ids,
  ])
  await database.pool.query('INSERT INTO limits (organisation_id) SELECT id FROM organisations')

  const { body: first } = await ask(backend, 'GET /organisations')
  const { body: second } = await ask(backend, `GET /organisations?after=${String(first['next'])}`)

  const pages = [first, second].map(({ organisations }) => organisations as { id: string }[])
  expect(pages.map(({ length }) => length)).toEqual([100, 1])
  expect(pages.flat().map(({ id }) => id)).toEqual(ids)
  expect(second).not.toHaveProperty('next')
})

describe('refuses', () => {
  let backend: TestBackend
  const cleanups: (() => Promise<void> | void)[] = []
  beforeAll(async () => {
    const onFinished = (cleanup: () => Promise<void> | void): void => void cleanups.unshift(cleanup)
    backend = await startBackend(onFinished, await openDatabase(onFinished))
    await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme' } })
  })
  afterAll(async () => {
    for (const cleanup of cleanups) await cleanup()
  })

  test.for<[string, number, string, { body?: unknown; token?: string }]>([
    ['GET /organisations', 401, 'The admin token is needed.', { token: 'guessed' }],
    ['GET /organisations', 401, 'The admin token is needed.', { token: '' }],
    ['POST /organisations/acme/keys', 401, 'The admin token is needed.', { token: 'x', body: { name: 'laptop' } }],
    ['GET /organisations/nobody/keys', 404, 'There is no organisation nobody.', {}],
    ['GET /organisations/nobody/usage', 404, 'There is no organisation nobody.', {}],
    ['POST /organisations/nobody/keys', 404, 'There is no organisation nobody.', { body: { name: 'laptop' } }],
    ['PUT /organisations/nobody/limits', 404, 'There is no organisation nobody.', { body: { maxConnections: 1 } }],
    ['DELETE /organisations/acme/keys/none', 404, 'There is no key none of an organisation acme.', {}],
    ['GET /nowhere', 404, 'There is no GET /nowhere.', {}],
    ['PATCH /organisations', 404, 'There is no PATCH /organisations.', {}],
    ['POST /organisations', 409, 'There is an organisation acme already.', { body: { name: 'Acme', id: 'acme' } }],
    ['POST /organisations', 400, 'body must have required properties name.', { body: {} }],
    ['POST /organisations', 400, 'body/name must match pattern', { body: { name: 'a\u0000b' } }],
    ['POST /organisations', 400, 'body/id must match pattern', { body: { name: 'Acme', id: 'a:b' } }],
    ['PUT /organisations/acme/limits', 400, 'body/maxConnections must be', { body: { maxConnections: -1 } }],
    ['PUT /organisations/acme/limits', 400, 'body', { body: { maxConnections: 1, max_connections: 1 } }],
    ['GET /organisations/%00/usage', 400, 'params/id must match pattern', {}],
  ])('%s → %i %s', async ([request, status, message, options], { expect }) => {
    const answer = await ask(backend, request, options)

    expect(answer.status).toBe(status)
    const { error } = answer.body
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: expect.any(String) as unknown,
      status,
      detail: error,
      instance: request.split(' ')[1],
      error: expect.stringContaining(message) as unknown,
      request_id: answer.headers.get('dg-request-id'),
    })
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json\b/)
  })
})

test('a body that is no JSON is refused', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const response = await fetch(`${backend.url}/organisations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: '{',
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: expect.any(String) as unknown })
})

test('two tasks start at once on an empty database and serve the seeded organisation', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  const redis = await startRedis(onTestFinished)
  const variables = { DATABASE_URL: database.url, REDIS_URL: redis.url, ADMIN_TOKEN, SEED_FILE }

  const tasks = await Promise.all([1, 2].map(() => startListening(onTestFinished, start, variables)))

  for (const task of tasks) {
    expect((await fetch(`${task.url}/health`)).status).toBe(200)
    const { body } = await ask(task, 'GET /organisations/demo/keys')
    expect(body['keys']).toMatchObject([{ name: 'Demo', prefix: 'org_demo' }])
  }
  const seed = JSON.parse(await readFile(SEED_FILE, 'utf8')) as { key: string }
  expect(await dump(database)).toContain(hashKey(seed.key))
  expect(await dump(database)).not.toContain(seed.key)
})

test('a new start brings a revoked seed key back and leaves changed limits alone', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  const variables = { SEED_FILE }
  const first = await startBackend(onTestFinished, database, { variables })
  await ask(first, 'PUT /organisations/demo/limits', { body: { maxConnections: 3 } })
  const { body } = await ask(first, 'GET /organisations/demo/keys')
  const [key] = body['keys'] as { id: string }[]
  await ask(first, `DELETE /organisations/demo/keys/${key?.id}`)
  await first.running.stop()

  const second = await startBackend(onTestFinished, database, { variables })

  const { body: list } = await ask(second, 'GET /organisations')
  expect(list['organisations']).toMatchObject([{ id: 'demo', limits: { maxConnections: 3 } }])
  const keys = (await ask(second, 'GET /organisations/demo/keys')).body['keys']
  expect(keys).toEqual([expect.not.objectContaining({ revokedAt: expect.anything() as unknown })])
})

test('without PostgreSQL it answers 503, and works again when PostgreSQL is back', async ({
  expect,
  onTestFinished,
}) => {
  const database = await openDatabase(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const backend = await startBackend(onTestFinished, { ...database, url: relay.url })
  await relay.cut()

  const answer = await ask(backend, 'GET /organisations')
  expect(answer).toMatchObject({ status: 503, body: { error: 'The database cannot be reached right now.' } })
  expect(answer.headers.get('retry-after')).toBe('1')
  await relay.mend()

  expect(await ask(backend, 'GET /organisations')).toMatchObject({ status: 200 })
})

test('a connection that the server ends is replaced', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const backend = await startBackend(onTestFinished, database)
  expect(await database.hangUp('backend')).toBeGreaterThan(0)
  await expect.poll(async () => (await ask(backend, 'GET /organisations')).status).toBe(200)
})

test('a change made while Redis is away arrives when Redis is back', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme' } })
  await backend.redis.stop()

  const { status, body } = await ask(backend, 'POST /organisations/acme/keys', { body: { name: 'laptop' } })
  expect(status).toBe(201)
  await backend.redis.restart()

  const hash = hashKey(String(body['key']))
  await expect.poll(() => backend.redis.client.get(redisKeys.apiKey(hash)), { timeout: 10_000 }).toBe('acme')
})

test('it stops twice without a trace, and is killed without a word', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const connections = async (): Promise<unknown> =>
    (
      await database.pool.query(`SELECT FROM pg_stat_activity WHERE application_name = 'backend'
      AND datname = current_database()`)
    ).rowCount
  const one = await startBackend(onTestFinished, database)
  const other = await startBackend(onTestFinished, database)
  expect(await connections()).not.toBe(0)

  await Promise.all([one.running.stop(), one.running.stop()])
  other.running.kill()

  await expect.poll(connections).toBe(0)
  await expect(fetch(`${one.url}/health`)).rejects.toThrow()
  await expect(fetch(`${other.url}/health`)).rejects.toThrow()
})

test('what is wrong with variables, seed or database is said at the start', async ({ expect, onTestFinished }) => {
  await expect(start({ DATABASE_URL: 'mysql://x' }, testRuntime())).rejects.toThrow(
    /DATABASE_URL .*; REDIS_URL is missing; ADMIN_TOKEN is missing/,
  )
  const database = await openDatabase(onTestFinished)
  const redis = await startRedis(onTestFinished)
  const folder = await mkdtemp(join(tmpdir(), 'aldea-seed-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'seed.json')
  await writeFile(file, '{"organisation": "Demo!"}')
  const variables = { DATABASE_URL: database.url, REDIS_URL: redis.url, ADMIN_TOKEN }
  await expect(start({ ...variables, SEED_FILE: file }, testRuntime())).rejects.toThrow(`${file} is no seed`)
  await expect(start({ ...variables, DATABASE_URL: 'postgres://u@127.0.0.1:1/x' }, testRuntime())).rejects.toThrow(
    'PostgreSQL at 127.0.0.1:1 cannot be reached',
  )
})
