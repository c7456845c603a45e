import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { connectError, portOf } from '../testing.ts'
import type { RedisAdapter, RedisBackend, RedisContext } from './port.ts'

type OnTestFinished = TestContext['onTestFinished']

/** What services may rely on, whoever supplies Redis. `skipped` says why it cannot run here. */
export function redisContract(adapter: RedisAdapter, skipped?: string): void {
  const why = skipped === undefined ? '' : ` (skipped: ${skipped})`
  describe.skipIf(skipped !== undefined)(`redis contract: ${adapter.name}${why}`, () => {
    let backend: RedisBackend
    let stateDir: string
    beforeAll(async () => {
      stateDir = await mkdtemp(join(tmpdir(), 'aldea-redis-'))
      backend = await adapter.start(contextIn(stateDir))
    })
    afterAll(async () => {
      await backend.stop()
      await rm(stateDir, { recursive: true })
    })
    const pair = (onTestFinished: OnTestFinished): [Redis, Redis] => [
      connected(backend.url, onTestFinished),
      connected(backend.url, onTestFinished),
    ]
    keys(pair)
    transactions(pair)
    messages(pair)
    if (adapter.name !== 'external') lives(adapter)
  })
}

/** Two clients of one server, so that tests can interleave them. */
type Pair = (onTestFinished: OnTestFinished) => [Redis, Redis]

function keys(pair: Pair): void {
  test('strings are set conditionally, counted and read together', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    expect(await one.set('s:lease', 'a', 'PX', 60_000, 'NX')).toBe('OK')
    expect(await other.set('s:lease', 'b', 'PX', 60_000, 'NX')).toBeNull()
    expect(await other.set('s:lease', 'b', 'XX', 'GET')).toBe('a')
    expect([await one.incr('s:count'), await other.incrby('s:count', 4)]).toEqual([1, 5])
    expect(await one.mget('s:lease', 's:count', 's:none')).toEqual(['b', '5', null])
    expect(await one.getdel('s:lease')).toBe('b')
    expect(await other.exists('s:lease')).toBe(0)
  })

  test('keys expire, and say when', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    await one.set('t:key', 'v', 'EX', 100)
    expect(await other.ttl('t:key')).toBeGreaterThan(90)
    expect(await other.pttl('t:none')).toBe(-2)
    await other.persist('t:key')
    expect(await one.ttl('t:key')).toBe(-1)
    await one.pexpire('t:key', 1)
    await expect.poll(() => other.get('t:key')).toBeNull()
    await one.set('t:past', 'v')
    await one.pexpireat('t:past', 1)
    expect(await other.exists('t:past')).toBe(0)
  })

  test('hashes and sets hold what organisations and their keys need', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    await one.hset('h:limits', { streams: '2', minutes: '60' })
    expect(await other.hincrby('h:limits', 'streams', 3)).toBe(5)
    expect(await one.hgetall('h:limits')).toEqual({ streams: '5', minutes: '60' })
    expect(await one.hgetall('h:none')).toEqual({})
    await one.sadd('h:set', 'a', 'b', 'a')
    expect((await other.smembers('h:set')).toSorted()).toEqual(['a', 'b'])
  })

  test('a sorted set is a sliding window', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    await one.zadd('z:window', 100, 'a', 200, 'b', 300, 'c')
    expect(await other.zremrangebyscore('z:window', '-inf', '(200')).toBe(1)
    expect(await other.zcard('z:window')).toBe(2)
    expect(await other.zadd('z:window', 'GT', 'CH', 250, 'b', 250, 'c')).toBe(1)
    expect(await one.zrange('z:window', '0', '-1', 'WITHSCORES')).toEqual(['b', '250', 'c', '300'])
    expect(await one.zrangebyscore('z:window', 260, '+inf')).toEqual(['c'])
  })

  test('a blocked pop is woken by the push of another client', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    const popped = one.blpop('l:queue', 10)
    await other.rpush('l:queue', 'first', 'second')
    expect(await popped).toEqual(['l:queue', 'first'])
    expect(await other.lrange('l:queue', 0, -1)).toEqual(['second'])
  })

  test('keys are scanned by pattern', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    await one.mset(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k:${index}`, 'v'])))
    const found: string[] = []
    for await (const batch of other.scanStream({ match: 'k:*', count: 10 })) found.push(...(batch as string[]))
    expect(new Set(found).size).toBe(50)
  })

  test('binary values come back as they were', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    const bytes = Buffer.from([0, 13, 10, 255, 128])
    await one.set('b:key', bytes)
    expect(await other.getBuffer('b:key')).toEqual(bytes)
  })
}

function transactions(pair: Pair): void {
  test('a transaction runs as one, and not at all when a watched key changes', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    await one.watch('m:key')
    await other.set('m:key', 'changed')
    expect(await one.multi().set('m:key', 'mine').exec()).toBeNull()
    const done = await one.multi().incr('m:count').incr('m:count').exec()
    expect(done).toEqual([
      [null, 1],
      [null, 2],
    ])
    expect(await other.get('m:key')).toBe('changed')
  })

  test('a pipeline of a thousand commands is answered in order', async ({ expect, onTestFinished }) => {
    const [one] = pair(onTestFinished)
    const pipeline = one.pipeline()
    for (let index = 0; index < 1000; index += 1) pipeline.incr('p:count')
    const answers = (await pipeline.exec()) ?? []
    expect(answers.map(([, value]) => value)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1))
  })

  test('scripts see arguments as text, call commands, and know JSON', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    const lease = `
      redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
      if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
      redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
      return 1`
    expect(await one.eval(lease, 1, 'lua:leases', '1000', '1', '2000', 'first')).toBe(1)
    expect(await other.eval(lease, 1, 'lua:leases', '1000', '1', '2000', 'second')).toBe(0)
    expect(await other.eval(lease, 1, 'lua:leases', '2000', '1', '3000', 'second')).toBe(1)
    const json = `return cjson.encode({ plan = cjson.decode(ARGV[1]).plan, n = #KEYS })`
    expect(JSON.parse(String(await one.eval(json, 1, 'k', '{"plan":"pro"}')))).toEqual({ plan: 'pro', n: 1 })
    expect(await one.eval('return {1, "two", false, {3}}', 0)).toEqual([1, 'two', null, [3]])
  })

  test('a script is called by its hash, by every client, until it is forgotten', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    const hash = String(await one.script('LOAD', `return redis.call('INCR', KEYS[1])`))
    expect([await one.evalsha(hash, 1, 'sha:n'), await other.evalsha(hash, 1, 'sha:n')]).toEqual([1, 2])
    await other.script('FLUSH')
    await expect(one.evalsha(hash, 1, 'sha:n')).rejects.toThrow(/^NOSCRIPT/)
    one.defineCommand('bump', { numberOfKeys: 1, lua: `return redis.call('INCR', KEYS[1])` })
    const bump = (one as unknown as { bump(key: string): Promise<number> }).bump('sha:n')
    expect(await bump).toBe(3)
  })

  test('a failing script and a wrong type are errors of that command only', async ({ expect, onTestFinished }) => {
    const [one] = pair(onTestFinished)
    await one.set('e:text', 'v')
    await expect(one.incr('e:text')).rejects.toThrow(/not an integer/)
    await expect(one.lpush('e:text', 'v')).rejects.toThrow(/^WRONGTYPE/)
    await expect(one.eval(`return redis.call('INCR', KEYS[1])`, 1, 'e:text')).rejects.toThrow(/not an integer/)
    expect(await one.ping()).toBe('PONG')
  })
}

function messages(pair: Pair): void {
  test('published messages reach subscribers by channel and by pattern', async ({ expect, onTestFinished }) => {
    const [subscriber, publisher] = pair(onTestFinished)
    const heard: string[] = []
    subscriber.on('message', (channel, text) => heard.push(`${channel} ${text}`))
    subscriber.on('pmessage', (pattern, channel, text) => heard.push(`${pattern} ${channel} ${text}`))
    await subscriber.subscribe('org:1')
    await subscriber.psubscribe('org:*')
    expect(await publisher.publish('org:1', 'changed')).toBe(2)
    expect(await publisher.publish('other', 'unheard')).toBe(0)
    await expect.poll(() => heard.toSorted()).toEqual(['org:* org:1 changed', 'org:1 changed'])
  })

  test('a stream is shared by the consumers of a group, each entry to one of them', async ({
    expect,
    onTestFinished,
  }) => {
    const [one, other] = pair(onTestFinished)
    await one.xgroup('CREATE', 'x:usage', 'ledger', '0', 'MKSTREAM')
    const ids = [await one.xadd('x:usage', '*', 'seconds', '1.5'), await one.xadd('x:usage', '*', 'seconds', '2')]
    const first = await one.xreadgroup('GROUP', 'ledger', 'a', 'COUNT', 1, 'STREAMS', 'x:usage', '>')
    const second = await other.xreadgroup('GROUP', 'ledger', 'b', 'COUNT', 1, 'STREAMS', 'x:usage', '>')
    expect(first).toEqual([['x:usage', [[ids[0], ['seconds', '1.5']]]]])
    expect(second).toEqual([['x:usage', [[ids[1], ['seconds', '2']]]]])
    expect(await one.xack('x:usage', 'ledger', String(ids[0]))).toBe(1)
    // What a consumer took and never acknowledged is claimed by the next one.
    const [, claimed] = (await one.xautoclaim('x:usage', 'ledger', 'a', 0, '0')) as [string, unknown[]]
    expect(claimed).toEqual([[ids[1], ['seconds', '2']]])
    expect(await one.xack('x:usage', 'ledger', String(ids[1]))).toBe(1)
    expect(await other.xreadgroup('GROUP', 'ledger', 'b', 'STREAMS', 'x:usage', '0')).toEqual([['x:usage', []]])
    expect(await other.xlen('x:usage')).toBe(2)
    expect(await other.xrange('x:usage', '-', '+', 'COUNT', 1)).toEqual([[ids[0], ['seconds', '1.5']]])
    await expect(one.xgroup('CREATE', 'x:usage', 'ledger', '0')).rejects.toThrow(/^BUSYGROUP/)
  })

  test('a reader that blocks on a stream is woken by the next entry', async ({ expect, onTestFinished }) => {
    const [reader, writer] = pair(onTestFinished)
    await writer.xgroup('CREATE', 'x:wake', 'ledger', '$', 'MKSTREAM')
    const read = reader.xreadgroup('GROUP', 'ledger', 'a', 'BLOCK', 10_000, 'STREAMS', 'x:wake', '>')
    const id = await writer.xadd('x:wake', '*', 'k', 'v')
    expect(await read).toEqual([['x:wake', [[id, ['k', 'v']]]]])
  })

  test('numbered databases are apart, and INFO names a version', async ({ expect, onTestFinished }) => {
    const [one, other] = pair(onTestFinished)
    await other.select(1)
    await one.set('d:key', 'v')
    expect(await other.get('d:key')).toBeNull()
    expect(await one.info('server')).toMatch(/redis_version:\d+\.\d+/)
  })
}

function lives(adapter: RedisAdapter): void {
  test('stopping closes the connections and frees the port', async ({ expect, onTestFinished }) => {
    const backend = await adapter.start(contextIn(await temporary(onTestFinished)))
    const client = connected(backend.url, onTestFinished)
    await client.ping()
    const ended = new Promise((resolve) => client.once('end', resolve))
    await Promise.all([backend.stop(), backend.stop()])
    await ended
    expect(await connectError('127.0.0.1', portOf(backend))).toBe('ECONNREFUSED')
  })

  test('two run side by side and know nothing of each other', async ({ expect, onTestFinished }) => {
    const start = async (): Promise<Redis> => {
      const backend = await started(adapter, contextIn(await temporary(onTestFinished)), onTestFinished)
      return connected(backend.url, onTestFinished)
    }
    const [one, other] = await Promise.all([start(), start()])
    await one.set('mine', 'v')
    expect(await other.get('mine')).toBeNull()
  })

  test('a taken port is an error that names its holder', async ({ expect, onTestFinished }) => {
    const holder = await started(adapter, contextIn(await temporary(onTestFinished)), onTestFinished)
    const port = portOf(holder)
    const second = adapter.start({ ...contextIn(await temporary(onTestFinished)), port })
    await expect(second).rejects.toMatchObject({ code: 'ALDEA_PORT_TAKEN' })
    await expect(second).rejects.toThrow(new RegExp(`${port}.*pid \\d+`))
  })

  test.skipIf(process.platform !== 'linux')(
    'it listens on the one loopback address only',
    async ({ expect, onTestFinished }) => {
      const backend = await started(adapter, contextIn(await temporary(onTestFinished)), onTestFinished)
      expect(await connectError('127.0.0.2', portOf(backend))).toBe('ECONNREFUSED')
    },
  )
}

export function contextIn(stateDir: string): RedisContext {
  return { stateDir, port: 0, log: silentLog }
}

export async function temporary(onTestFinished: OnTestFinished): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aldea-redis-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

export async function started(
  adapter: RedisAdapter,
  context: RedisContext,
  onTestFinished: OnTestFinished,
): Promise<RedisBackend> {
  const backend = await adapter.start(context)
  onTestFinished(() => backend.stop())
  return backend
}

export function connected(url: string, onTestFinished: OnTestFinished): Redis {
  const client = new Redis(url, { retryStrategy: null })
  // A server that goes away while we are connected is told by the next command.
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}
