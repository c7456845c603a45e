import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, test, type TestContext } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { createVirtualClock, type VirtualClock } from '../../core/clock.ts'
import { createEventStream, type EventStream } from '../../core/events.ts'
import { embeddedPostgres } from '../postgres/embedded.ts'
import type { PostgresBackend } from '../postgres/port.ts'
import { fatalError, trackMessages } from './postgres-frames.ts'
import { startPostgresRelay, type PostgresRelay } from './postgres.ts'

type OnTestFinished = TestContext['onTestFinished']

const TERMINATED = { code: '57P01', message: 'terminating connection due to administrator command' }
const STARTING = { code: '57P03', message: 'the database system is starting up' }

let backend: PostgresBackend
let stateDir: string
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'aldea-relay-'))
  const adapter = embeddedPostgres({ cacheDir: join(tmpdir(), 'aldea-test-cache') })
  backend = await adapter.start({ stateDir, port: 0, database: 'aldea', log: silentLog })
})
afterAll(async () => {
  await backend.stop()
  await rm(stateDir, { recursive: true })
})

test('conformance 26: in a planned failover sockets drop with 57P01, nobody is let in, and then it works again', async ({
  expect,
  onTestFinished,
}) => {
  const { relay, clock, events } = await startRelayed(onTestFinished)
  const client = await connected(relay, onTestFinished)
  const ended = errorOf(client)

  const failover = relay.failover({ durationMs: 60_000 })

  expect(await ended).toMatchObject({ ...TERMINATED, severity: 'FATAL' })
  await expect(connected(relay, onTestFinished)).rejects.toMatchObject({ ...STARTING, severity: 'FATAL' })
  await clock.advance(60_000)
  await failover
  expect((await (await connected(relay, onTestFinished)).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  expect(events.of('cloud.event').map(({ code, message }) => [code, message])).toEqual([
    ['RDS-EVENT-0013', 'Multi-AZ instance failover started.'],
    ['RDS-EVENT-0006', 'DB instance restarted.'],
    ['RDS-EVENT-0015', 'Multi-AZ failover to standby complete - DNS propagation may take a few minutes.'],
    ['RDS-EVENT-0049', 'Multi-AZ instance failover completed.'],
  ])
})

test('conformance 26: when the node is lost sockets hang, old and new, until they are reset', async ({
  expect,
  onTestFinished,
}) => {
  const { relay, clock } = await startRelayed(onTestFinished)
  const client = await connected(relay, onTestFinished)
  const ended = errorOf(client)
  const outcomes: string[] = []

  const failover = relay.failover({ durationMs: 60_000, isPlanned: false })
  const note = (error: Error & { code?: string }): void => void outcomes.push(error.code ?? error.message)
  const query = client.query('SELECT 1').catch(note)
  const late = connected(relay, onTestFinished).catch(note)
  // Time enough for an answer, if there were one: a client of the database itself has had one.
  await direct(onTestFinished)
  expect(outcomes).toEqual([])

  await clock.advance(60_000)
  await Promise.all([query, late, failover])
  expect(await ended).toMatchObject({ code: 'ECONNRESET' })
  expect(outcomes).toHaveLength(2)
  await connected(relay, onTestFinished)
})

test('conformance 26: LISTEN is gone after a failover; listening again, then catching up, finds what was missed', async ({
  expect,
  onTestFinished,
}) => {
  const { relay, clock } = await startRelayed(onTestFinished)
  const writer = await direct(onTestFinished)
  await writer.query('CREATE TABLE changes (id integer PRIMARY KEY)')
  const insert = (id: number): Promise<unknown> =>
    writer.query(`WITH row AS (INSERT INTO changes VALUES (${id})) SELECT pg_notify('changes', '${id}')`)
  const heard: string[] = []
  const listen = async (): Promise<Client> => {
    const client = await connected(relay, onTestFinished)
    client.on('notification', ({ payload = '' }) => heard.push(payload))
    return client
  }
  const first = await listen()
  await first.query('LISTEN changes')
  await insert(1)
  await expect.poll(() => heard).toEqual(['1'])
  const ended = errorOf(first)

  const failover = relay.failover({ durationMs: 1_000 })
  await ended
  await insert(2)
  await clock.advance(1_000)
  await failover
  const second = await listen()
  await insert(3)
  await second.query('SELECT 1')
  expect(heard).toEqual(['1'])

  await second.query('LISTEN changes')
  const { rows } = await second.query('SELECT id FROM changes WHERE id > 1 ORDER BY id')
  expect(rows).toEqual([{ id: 2 }, { id: 3 }])
  await insert(4)
  await expect.poll(() => heard).toEqual(['1', '4'])
})

test('a long answer is passed on to the end of a message before the server says goodbye', async ({
  expect,
  onTestFinished,
}) => {
  const { relay } = await startRelayed(onTestFinished)
  const client = await connected(relay, onTestFinished)
  const ended = errorOf(client)
  const query = client.query(`SELECT repeat('x', 1000000) FROM generate_series(1, 50)`)
  client.connection.once('dataRow', () => relay.terminate())
  await expect(query).rejects.toMatchObject(TERMINATED)
  await ended.catch(() => undefined)
})

test('connections are dropped with or without a reset, and later ones go where they are sent', async ({
  expect,
  onTestFinished,
}) => {
  let target = backend.url
  const { relay } = await startRelayed(onTestFinished, () => target)
  const [one, other] = [await connected(relay, onTestFinished), await connected(relay, onTestFinished)]
  const endings = [errorOf(one), errorOf(other)]
  relay.drop({ reset: true })
  for (const ending of endings) expect(await ending).toMatchObject({ code: 'ECONNRESET' })
  const third = errorOf(await connected(relay, onTestFinished))
  relay.drop()
  expect(await third).toMatchObject({ message: 'Connection terminated unexpectedly' })

  const writer = await direct(onTestFinished)
  await writer.query('CREATE DATABASE standby')
  target = backend.url.replace(/\/aldea$/, '/standby')
  const moved = await connected(relay, onTestFinished)
  expect((await moved.query('SELECT current_database() AS name')).rows).toEqual([{ name: 'standby' }])
})

test('the end of a message is found however the bytes are cut', ({ expect }) => {
  const message = fatalError('57P01', 'gone')
  const stream = Buffer.concat([message, message])
  for (let cut = 1; cut < stream.length; cut += 1) {
    const track = trackMessages()
    track.push(Buffer.from('N'))
    expect(track.push(stream.subarray(0, cut))).toBe(0)
    expect(track.isBetween).toBe(cut === message.length)
    const rest = track.push(stream.subarray(cut))
    expect(rest).toBe(cut === message.length ? 0 : (cut < message.length ? message.length : stream.length) - cut)
    expect(track.isBetween).toBe(true)
  }
})

interface Relayed {
  readonly relay: PostgresRelay
  readonly clock: VirtualClock
  readonly events: EventStream
}

async function startRelayed(onTestFinished: OnTestFinished, target = () => backend.url): Promise<Relayed> {
  const clock = createVirtualClock(0)
  const events = createEventStream()
  const listen = { host: '127.0.0.1', port: 0 }
  const relay = await startPostgresRelay({ name: 'postgres', listen, target, clock, events })
  onTestFinished(() => relay.stop())
  return { relay, clock, events }
}

function connected({ url }: { readonly url: string }, onTestFinished: OnTestFinished): Promise<Client> {
  return connect(url, onTestFinished)
}

function direct(onTestFinished: OnTestFinished): Promise<Client> {
  return connect(backend.url, onTestFinished)
}

async function connect(url: string, onTestFinished: OnTestFinished): Promise<Client> {
  const client = new Client(url)
  client.on('error', () => undefined)
  onTestFinished(() => void client.end().catch(() => undefined))
  await client.connect()
  return client
}

function errorOf(client: Client): Promise<Error> {
  return new Promise((resolve) => {
    client.once('error', resolve)
  })
}
