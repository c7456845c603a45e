import { SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { test, type TestContext } from 'vitest'
import type { Environment } from '../../core/environment.ts'
import { startTestEnvironment } from '../test-environment.ts'

type OnTestFinished = TestContext['onTestFinished']

/** On two shared cores. */
const SOON = { timeout: 20_000 }
/** As short as a failover can be and still be met by clients that try again. */
const DURATION_MS = 500
const DB_SYNC_TASKS = 2

test('conformance 26: PostgreSQL fails over; db-sync listens again, and a later change reaches Redis', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished })
  const { faults, events } = environment
  const before = await connected(environment, onTestFinished)
  const redis = new Redis(environment.backends['redis'] ?? '')
  onTestFinished(() => redis.disconnect())
  await addOrganisation(before, 'before')
  await expect.poll(() => limitOf(redis, 'before'), SOON).toBe('7')
  expect(await listeners(before)).toBe(DB_SYNC_TASKS)
  await before.query('LISTEN changes')
  const ended = new Promise((resolve) => before.once('error', resolve))
  expect(faults.primaryOf('postgres').name).toBe('postgres-a')

  // Cut off on its way: it is in the outbox, and nobody is told again.
  await addOrganisation(before, 'midway')
  const failover = faults.failover('postgres', { durationMs: DURATION_MS })

  expect(await ended).toMatchObject({ code: '57P01', severity: 'FATAL' })
  await expect(connected(environment, onTestFinished)).rejects.toMatchObject({ code: '57P03' })
  await expect(faults.failover('postgres')).rejects.toThrow('A failover from postgres-a is under way.')
  await failover
  expect(faults.primaryOf('postgres')).toEqual({ name: 'postgres-b', role: 'primary', zone: 'us-west-2b' })
  const codes = events.of('cloud.event').map(({ code }) => code)
  expect(codes).toEqual(['RDS-EVENT-0013', 'RDS-EVENT-0006', 'RDS-EVENT-0015', 'RDS-EVENT-0049'])

  const after = await connected(environment, onTestFinished)
  expect((await after.query('SELECT pg_listening_channels()')).rows).toEqual([])
  await expect.poll(() => listeners(after), SOON).toBe(DB_SYNC_TASKS)
  await addOrganisation(after, 'after')
  await expect.poll(() => limitOf(redis, 'midway'), SOON).toBe('7')
  await expect.poll(() => limitOf(redis, 'after'), SOON).toBe('7')
})

test('conformance 26: the node of PostgreSQL is lost; sockets hang and are reset, and the system goes on', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished })
  const client = await connected(environment, onTestFinished)
  const redis = new Redis(environment.backends['redis'] ?? '')
  onTestFinished(() => redis.disconnect())
  const ended = new Promise((resolve) => client.once('error', resolve))

  let isOver = false
  const failover = environment.faults.failover('postgres', { durationMs: DURATION_MS, isPlanned: false })
  void failover.then(() => (isOver = true))
  await expect(client.query('SELECT 1')).rejects.toThrow()
  await ended
  await failover
  expect(isOver).toBe(true)

  const after = await connected(environment, onTestFinished)
  await expect.poll(() => listeners(after), SOON).toBe(DB_SYNC_TASKS)
  await addOrganisation(after, 'after')
  await expect.poll(() => limitOf(redis, 'after'), SOON).toBe('7')
})

test('conformance 26: Redis fails over; clients get READONLY and UNBLOCKED, and a later change reaches the new primary', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished })
  await shortenVisibility(environment, onTestFinished)
  const { faults, events } = environment
  const open = (): Redis => impatient(environment, onTestFinished)
  const [writer, waiter, subscriber] = [open(), open(), open()]
  await writer.set('kept', 'written before')
  await subscriber.subscribe('news')
  const closed = [writer, waiter, subscriber].map(endOf)
  const waiting = waiter.blpop('nothing', 0).then(String, (error: Error) => error.message)
  await writer.ping()

  const failover = faults.failover('redis', { durationMs: DURATION_MS })

  expect(await waiting).toMatch(/^UNBLOCKED force unblock from blocking operation/)
  expect(await writer.get('kept')).toBe('written before')
  await expect(writer.set('kept', 'lost')).rejects.toThrow(/^READONLY You can't write against a read only replica/)
  await Promise.all(closed)
  // Whoever asks for the address meanwhile still gets the old primary.
  await expect(open().set('kept', 'lost')).rejects.toThrow(/^READONLY/)
  await failover
  expect(faults.primaryOf('redis')).toEqual({ name: 'redis-b', role: 'primary', zone: 'us-west-2b' })
  expect(events.of('cloud.event').map(({ message }) => message)).toContain(
    'Failover from primary node redis-001 to replica node redis-002 completed',
  )

  const after = open()
  expect(await after.get('kept')).toBe('written before')
  expect(await after.publish('news', 'nobody hears it')).toBe(0)
  await addOrganisation(await connected(environment, onTestFinished), 'after')
  await expect.poll(() => limitOf(after, 'after'), SOON).toBe('7')
  await expect.poll(() => statusOfFile(environment), SOON).toBe(415)
  await faults.failover('redis', { durationMs: 0 })
  expect(faults.primaryOf('redis').name).toBe('redis-a')
  expect(events.of('cloud.event').map(({ message }) => message)).toContain(
    'Failover from primary node redis-002 to replica node redis-001 completed',
  )
})

test('a stage with one instance of each has no relay, unless it is asked for; then connections can be broken', async ({
  expect,
  onTestFinished,
}) => {
  const plain = await startTestEnvironment({ onTestFinished, stage: 'dev' })
  await expect(plain.faults.failover('redis')).rejects.toThrow('Services reach redis itself')

  const environment = await startTestEnvironment({
    onTestFinished,
    stage: 'dev',
    backends: { mode: 'embedded', hasRelays: true },
  })
  const { faults } = environment
  await expect(faults.failover('redis')).rejects.toThrow('redis-a has no second instance that could take over.')
  const client = impatient(environment, onTestFinished)
  await client.ping()
  const closed = endOf(client)
  faults.disconnect('redis', { isReset: true })
  await closed
  const next = impatient(environment, onTestFinished)
  await next.ping()
  faults.silence('redis', DURATION_MS)
  await expect(next.ping()).rejects.toThrow()
  expect(await impatient(environment, onTestFinished).ping()).toBe('PONG')
})

test('databases that are rebooted serve nobody for a while, and the system goes on', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished })
  await shortenVisibility(environment, onTestFinished)
  const { faults } = environment
  const [client, redis] = [await connected(environment, onTestFinished), impatient(environment, onTestFinished)]
  await redis.ping()
  const ended = [new Promise((resolve) => client.once('error', resolve)), endOf(redis)]

  faults.reboot('postgres', DURATION_MS)
  faults.reboot('redis', DURATION_MS)

  expect(await Promise.all(ended)).toMatchObject([{ code: '57P01' }, undefined])
  await expect(connected(environment, onTestFinished)).rejects.toMatchObject({ code: '57P03' })
  await expect(impatient(environment, onTestFinished).get('a')).rejects.toThrow(/^LOADING /)
  await expect.poll(() => statusOfFile(environment), SOON).toBe(415)
  const after = impatient(environment, onTestFinished)
  await addOrganisation(await connected(environment, onTestFinished), 'after')
  await expect.poll(() => limitOf(after, 'after'), SOON).toBe('7')
})

/** By plain SQL, as somebody with psql would. */
async function addOrganisation(client: Client, id: string): Promise<void> {
  await client.query('BEGIN')
  await client.query('INSERT INTO organisations (id, name, created_at) VALUES ($1, $1, to_timestamp(0))', [id])
  await client.query('INSERT INTO limits (organisation_id, max_connections) VALUES ($1, 7)', [id])
  await client.query('COMMIT')
}

/** What org-sync could not write while its connection came back is tried again after this time, not after 18 s. */
async function shortenVisibility({ variables, queueUrls }: Environment, onTestFinished: OnTestFinished): Promise<void> {
  const sqs = new SQSClient({
    endpoint: variables['AWS_ENDPOINT_URL'] ?? '',
    region: variables['AWS_REGION'] ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  onTestFinished(() => sqs.destroy())
  const QueueUrl = queueUrls['prod-ws-proxy-org-sync']
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '1' } }))
}

/** Of a request whose key is good, and whose body is no audio. */
async function statusOfFile({ url, topology: { demo } }: Environment): Promise<number> {
  const headers = { authorization: `Token ${demo.key}`, 'content-type': 'audio/wav' }
  const response = await fetch(`${url}${demo.path}`, { method: 'POST', headers, body: new Uint8Array(44) })
  await response.arrayBuffer()
  return response.status
}

function limitOf(redis: Redis, organisation: string): Promise<string | null> {
  return redis.hget(`org:${organisation}:limits`, 'max_connections')
}

/** Sessions of db-sync that listen: it says nothing else on that connection. */
async function listeners(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'db-sync' AND query LIKE 'LISTEN %'`,
  )
  return rows[0]?.count ?? 0
}

async function connected({ backends }: Environment, onTestFinished: OnTestFinished): Promise<Client> {
  const client = new Client(backends['postgres'])
  client.on('error', () => undefined)
  onTestFinished(() => void client.end().catch(() => undefined))
  await client.connect()
  return client
}

/** A client that does not come back by itself, so that what it is told is seen. */
function impatient({ backends }: Environment, onTestFinished: OnTestFinished): Redis {
  const options = { retryStrategy: () => null, enableReadyCheck: false, maxRetriesPerRequest: 0 }
  const client = new Redis(backends['redis'] ?? '', options)
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return client
}

function endOf(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    client.once('end', () => resolve())
  })
}
