import { tmpdir } from 'node:os'
import * as fc from 'fast-check'
import { Redis, type RedisOptions } from 'ioredis'
import { describe, test, type TestContext } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { createVirtualClock, type VirtualClock } from '../../core/clock.ts'
import { createEventStream, type EventStream } from '../../core/events.ts'
import { temporary } from '../redis/contract.ts'
import { emulatedRedis } from '../redis/emulated.ts'
import { installedRedis } from '../redis/installed.ts'
import type { RedisAdapter } from '../redis/port.ts'
import { type RedisRelay, startRedisRelay } from './redis.ts'
import { trackResp } from './resp-frames.ts'

type OnTestFinished = TestContext['onTestFinished']

const READONLY = `READONLY You can't write against a read only replica.`
const UNBLOCKED = 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'

const NODES = { from: 'redis-001', successor: 'redis-002', promote: () => Promise.resolve() }

const installed = installedRedis()
const { available } = await installed.probe()
const adapters: readonly RedisAdapter[] = available ? [emulatedRedis, installed] : [emulatedRedis]

describe.for(adapters.map((adapter) => [adapter.name, adapter] as const))('before %s Redis', ([, adapter]) => {
  test('conformance 26: a write to the demoted primary gets READONLY, then the connection closes', async ({
    expect,
    onTestFinished,
  }) => {
    const { relay } = await startRelayed(adapter, onTestFinished)
    const client = connected(relay, onTestFinished)
    await client.set('kept', 'old')
    relay.demote()
    expect(await client.get('kept')).toBe('old')
    const closed = closeOf(client)
    const answers = await Promise.allSettled([client.get('kept'), client.set('kept', 'new'), client.get('kept')])
    expect(answers.slice(0, 2)).toMatchObject([{ value: 'old' }, { reason: { message: READONLY } }])
    expect(answers[2]?.status).toBe('rejected')
    await closed

    const next = connected(relay, onTestFinished)
    expect(await next.get('kept')).toBe('old')
    expect(await next.set('kept', 'new')).toBe('OK')
  })

  test.for([
    ['BLPOP', (client: Redis) => client.blpop('queue', 0)],
    ['XREAD BLOCK', (client: Redis) => client.xread('BLOCK', 0, 'STREAMS', 'stream', '$')],
    [
      'XREADGROUP BLOCK',
      (client: Redis) => client.xreadgroup('GROUP', 'group', 'one', 'BLOCK', 0, 'STREAMS', 'stream', '>'),
    ],
  ] as const)('conformance 26: a waiting %s gets UNBLOCKED, then the connection closes', async ([, wait], context) => {
    const { expect, onTestFinished } = context
    const { relay } = await startRelayed(adapter, onTestFinished)
    const client = connected(relay, onTestFinished)
    await client.xgroup('CREATE', 'stream', 'group', '$', 'MKSTREAM')
    const other = connected(relay, onTestFinished)
    const closed = closeOf(client)
    const waiting = wait(client).then(String, (error: Error) => error.message)
    await other.ping()
    await other.ping()
    relay.demote()
    expect(await waiting).toBe(UNBLOCKED)
    await closed
  })

  test('conformance 26: a subscriber must subscribe again, and what was published between is lost', async ({
    expect,
    onTestFinished,
  }) => {
    const { relay, clock } = await startRelayed(adapter, onTestFinished)
    const heard: string[] = []
    const subscribe = async (): Promise<Redis> => {
      const client = connected(relay, onTestFinished)
      client.on('message', (_, message) => heard.push(message))
      await client.subscribe('news')
      return client
    }
    const closed = closeOf(await subscribe())
    const failover = relay.failover({ durationMs: 10_000, ...NODES })
    await closed
    const publisher = connected(relay, onTestFinished)
    expect(await publisher.publish('news', 'lost')).toBe(0)
    await clock.advance(10_000)
    await failover
    await subscribe()
    expect(await connected(relay, onTestFinished).publish('news', 'heard')).toBe(1)
    await expect.poll(() => heard).toEqual(['heard'])
  })

  test('until a failover is over new connections reach the demoted primary; then they write to the new one', async ({
    expect,
    onTestFinished,
  }) => {
    const { relay, clock, events, aimAt } = await startRelayed(adapter, onTestFinished)
    const primary = await startBackend(adapter, onTestFinished)
    const promote = (): Promise<void> => Promise.resolve(aimAt(primary.url))
    const failover = relay.failover({ durationMs: 10_000, ...NODES, promote })
    await expect(connected(relay, onTestFinished).set('a', '1')).rejects.toThrow(READONLY)
    const reader = connected(relay, onTestFinished)
    expect(await reader.get('a')).toBeNull()
    const closed = closeOf(reader)
    await clock.advance(10_000)
    await Promise.all([failover, closed])
    expect(await connected(relay, onTestFinished).set('a', '1')).toBe('OK')
    const direct = connected(primary, onTestFinished)
    expect(await direct.get('a')).toBe('1')
    expect(events.of('cloud.event').map(({ message }) => message)).toEqual([
      'Test Failover API called for node group 0001',
      'Failover from primary node redis-001 to replica node redis-002 completed',
      'Recovering cache nodes 0001',
      'Finished recovery for cache nodes 0001',
    ])
  })

  test.for([2, 3] as const)(
    'a rebooted server says that it loads, then serves the same connection, by RESP %i',
    async (protocol, context) => {
      const { expect, onTestFinished } = context
      const { relay, clock } = await startRelayed(adapter, onTestFinished)
      const before = connected(relay, onTestFinished)
      await before.ping()
      const closed = closeOf(before)
      relay.reboot(5_000)
      await closed

      const client = connected(relay, onTestFinished, { protocol })
      await expect(client.get('a')).rejects.toThrow('LOADING Redis is loading the dataset in memory')
      const answers = await Promise.allSettled([
        client.select(0),
        client.set('a', '1'),
        client.get('a'),
        client.select(0),
        client.info('persistence'),
      ])
      const refused = { reason: { message: expect.stringMatching(/^LOADING /) } }
      const info = { value: expect.stringContaining('loading:1') }
      expect(answers).toMatchObject([{ value: 'OK' }, refused, refused, { value: 'OK' }, info])

      await clock.advance(5_000)
      expect(await client.set('a', '1')).toBe('OK')
      expect(await client.info('persistence')).not.toContain('loading:1')
      expect(await client.hgetall('a').catch((error: Error) => error.message)).toMatch(/^WRONGTYPE/)
    },
  )

  test('connections are reset, or fall silent and are reset later', async ({ expect, onTestFinished }) => {
    const { relay, clock } = await startRelayed(adapter, onTestFinished)
    const [one, two] = [connected(relay, onTestFinished), connected(relay, onTestFinished)]
    await Promise.all([one.ping(), two.ping()])
    const closed = closeOf(one)
    relay.drop({ reset: true })
    await closed
    const three = connected(relay, onTestFinished)
    await three.ping()
    relay.blackHole(10_000)
    relay.blackHole(30_000)
    let isOver = false
    const ping = three.ping().catch(() => (isOver = true))
    await connected({ url: relay.target() }, onTestFinished).ping()
    expect(isOver).toBe(false)
    await clock.advance(10_000)
    await connected({ url: relay.target() }, onTestFinished).ping()
    expect(isOver).toBe(false)
    await clock.advance(20_000)
    await ping
    expect(isOver).toBe(true)
    expect(await connected(relay, onTestFinished).ping()).toBe('PONG')
  })
})

test('commands and replies are counted however the bytes are cut', ({ expect }) => {
  const item = fc.oneof(
    fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 4 }).map(arrayOf),
    fc.constantFrom('+OK\r\n', '-ERR no\r\n', ':12\r\n', '$-1\r\n', '*-1\r\n', '*0\r\n', '_\r\n', '$0\r\n\r\n'),
    fc.constantFrom(
      '%1\r\n+a\r\n*2\r\n:1\r\n$1\r\nb\r\n',
      '*2\r\n*1\r\n:1\r\n~2\r\n#t\r\n,1.5\r\n',
      '|1\r\n+a\r\n:1\r\n+OK\r\n',
    ),
  )
  fc.assert(
    fc.property(fc.array(item, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (items, size) => {
      const stream = Buffer.from(items.join(''))
      const ends: number[] = []
      let before = 0
      const first: (string | undefined)[] = []
      const track = trackResp(({ words, end }) => {
        ends.push(before + end)
        first.push(words[0])
      }, 1)
      for (; before < stream.length; before += size) track.push(stream.subarray(before, before + size))
      let at = 0
      expect(ends).toEqual(items.map((each) => (at += Buffer.byteLength(each))))
      items.forEach((each, index) => {
        const [, length = '', word] = /^\*\d+\r\n\$(\d+)\r\n([ -~]{0,32})\r\n/.exec(each) ?? []
        if (word !== undefined && Number(length) === word.length) expect(first[index]).toBe(word)
      })
    }),
  )
})

function arrayOf(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

interface Relayed {
  readonly relay: RedisRelay & { target(): string }
  readonly clock: VirtualClock
  readonly events: EventStream
  /** Sends later connections there. */
  aimAt(url: string): void
}

async function startRelayed(adapter: RedisAdapter, onTestFinished: OnTestFinished): Promise<Relayed> {
  const backend = await startBackend(adapter, onTestFinished)
  const clock = createVirtualClock(0)
  const events = createEventStream()
  let { url } = backend
  const target = (): string => url
  const listen = { host: '127.0.0.1', port: 0 }
  const relay = await startRedisRelay({ name: 'redis', listen, target, clock, events })
  onTestFinished(() => relay.stop())
  return { relay: { ...relay, url: relay.url, target }, clock, events, aimAt: (next) => void (url = next) }
}

async function startBackend(adapter: RedisAdapter, onTestFinished: OnTestFinished): Promise<{ readonly url: string }> {
  const stateDir = adapter.name === 'emulated' ? tmpdir() : await temporary(onTestFinished)
  const backend = await adapter.start({ stateDir, port: 0, log: silentLog })
  onTestFinished(() => backend.stop())
  return backend
}

/** A client that does not come back by itself, so that what it is told is seen. */
function connected(
  { url }: { readonly url: string },
  onTestFinished: OnTestFinished,
  options: Pick<RedisOptions, 'protocol'> = {},
): Redis {
  const plain = { retryStrategy: () => null, enableReadyCheck: false, maxRetriesPerRequest: 0 }
  const client = new Redis(url, { ...plain, ...options })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return client
}

function closeOf(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    client.once('end', () => resolve())
  })
}
