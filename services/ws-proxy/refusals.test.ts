import { request } from 'node:http'
import { once } from 'node:events'
import { test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { TEST_KEY, usageIn } from '../account/testing.ts'
import { connectClient, refusalOf, say, startProxy } from './testing.ts'

const KEY = ['token', TEST_KEY]
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

test.for<[why: string, status: number, protocols: string[], path: string, error: RegExp]>([
  ['no key', 401, [], '/v1/listen', /^An API key is needed\.$/],
  ['an unknown key', 401, ['token', 'org_unknown'], '/v1/listen', /^The API key is not valid\.$/],
  ['a key that is none', 401, ['token', 'sk-123'], '/v1/listen', /^An API key is needed\.$/],
  ['a key in another scheme', 401, ['basic', TEST_KEY], '/v1/listen', /^An API key is needed\.$/],
  ['a key and bad parameters, the key first', 401, [], '/v1/listen?vad_events=maybe', /^An API key is needed\.$/],
  ['a flag that is none', 422, KEY, '/v1/listen?interim_results=maybe', /^interim_results is "maybe"/],
  ['channels that are none', 422, KEY, '/v1/listen?channels=two', /^channels is "two"/],
  ['another dialect', 422, KEY, '/v1/listen?compat=whisper', /^compat is "whisper"/],
  ['another language', 422, KEY, '/v1/listen?language=tlh', /"tlh" is not installed here; installed: \S+ \(en\)/],
  ['a rate nobody speaks at', 422, KEY, '/v1/listen?sample_rate=1', /sample_rate/],
  ['an encoding we lack', 415, KEY, '/v1/listen?encoding=speex', /speex/],
  ['an unknown path', 404, KEY, '/v1/unknown', /^There is no GET \/v1\/unknown\.$/],
])('%s is a %i before the upgrade', async ([, status, protocols, path, error], { expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished)

  const refusal = await refusalOf(socketUrl + path, protocols)

  expect(refusal).toMatchObject({ status, contentType: 'application/json; charset=utf-8' })
  expect(refusal.body).toEqual({
    error: expect.stringMatching(error) as unknown,
    request_id: expect.stringMatching(UUID) as unknown,
  })
  expect(await redis.client.zcard('org:acme:connections')).toBe(0)
  expect(await usageIn(redis)).toEqual([])
})

test.for<[why: string, status: number, headers: Record<string, string>]>([
  ['of an old version', 400, { 'sec-websocket-version': '8' }],
  ['without a good nonce', 400, { 'sec-websocket-key': 'short' }],
  ['to another protocol', 400, { upgrade: 'h2c' }],
])('an upgrade %s is a %i in JSON', async ([, status, headers], { expect, onTestFinished }) => {
  const { url, redis } = await startProxy(onTestFinished)
  const asking = request(`${url}/v1/listen`, {
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      authorization: `Bearer ${TEST_KEY}`,
      ...headers,
    },
  }).end()

  const [answer] = (await once(asking, 'response')) as [{ statusCode: number; headers: Record<string, string> }]

  expect([answer.statusCode, answer.headers['content-type']]).toEqual([status, 'application/json; charset=utf-8'])
  expect(await redis.client.zcard('org:acme:connections')).toBe(0)
})

test('a plain GET learns that it should upgrade', async ({ expect, onTestFinished }) => {
  const { url } = await startProxy(onTestFinished)
  const answer = await fetch(`${url}/v1/listen`)
  expect(answer.status).toBe(426)
  expect(await answer.json()).toMatchObject({ error: expect.stringContaining('WebSocket') as unknown })
})

test('the eleventh connection of ten is refused until one ends', async ({ expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished)
  const url = `${socketUrl}/v1/listen`
  const ten = await Promise.all(Array.from({ length: 10 }, () => connectClient(onTestFinished, url)))

  const refusal = await refusalOf(url, KEY)
  ten[0]?.socket.send(say('CloseStream'))
  await ten[0]?.closed

  expect(refusal).toMatchObject({ status: 429, retryAfter: '1' })
  expect(refusal.body).toMatchObject({ error: 'All 10 connections of the organisation are in use.' })
  expect(await (await connectClient(onTestFinished, url)).next('Metadata')).toBeDefined()
})

test('two proxies share the places of an organisation', async ({ expect, onTestFinished }) => {
  const one = await startProxy(onTestFinished, { limits: { max_connections: 1 } })
  const two = await startProxy(onTestFinished, { variables: { REDIS_URL: one.redis.url } })
  await connectClient(onTestFinished, `${one.socketUrl}/v1/listen`)

  expect(await refusalOf(`${two.socketUrl}/v1/listen`, KEY)).toMatchObject({ status: 429 })
})

test('a place that a crashed proxy held comes back', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const limits = { max_connections: 1 }
  const crashed = await startProxy(onTestFinished, { limits, runtime: { clock } })
  const variables = { REDIS_URL: crashed.redis.url }
  const other = await startProxy(onTestFinished, { variables, runtime: { clock } })
  await connectClient(onTestFinished, `${crashed.socketUrl}/v1/listen`)
  crashed.running.kill()

  const before = await refusalOf(`${other.socketUrl}/v1/listen`, KEY)
  await clock.advance(60_000)

  expect(before).toMatchObject({ status: 429 })
  expect(await (await connectClient(onTestFinished, `${other.socketUrl}/v1/listen`)).next('Metadata')).toBeDefined()
})

test('a place is kept for as long as the stream is open', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const { socketUrl, redis } = await startProxy(onTestFinished, {
    limits: { max_connections: 1 },
    variables: { IDLE_TIMEOUT_MS: '3600000' },
    runtime: { clock },
  })
  await connectClient(onTestFinished, `${socketUrl}/v1/listen`)

  for (let minute = 0; minute < 3; minute += 1) {
    await clock.advance(60_000)
    // The renewal is on its way to Redis; a command on another connection may overtake it.
    await expect
      .poll(async () => Number(await redis.client.zscore('org:acme:connections', await leaseIn(redis))))
      .toBeGreaterThan(clock.now())
  }
  expect(await refusalOf(`${socketUrl}/v1/listen`, KEY)).toMatchObject({ status: 429 })
})

async function leaseIn({ client }: Awaited<ReturnType<typeof startProxy>>['redis']): Promise<string> {
  const [lease = ''] = await client.zrange('org:acme:connections', '0', '0')
  return lease
}

test('requests beyond the minute are refused', async ({ expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished, { limits: { requests_per_minute: 0 } })
  const refusal = await refusalOf(`${socketUrl}/v1/listen`, KEY)
  expect(refusal.status).toBe(429)
  expect(Number(refusal.retryAfter)).toBeGreaterThan(0)
})

test('without Redis an upgrade is a 503 that says when to come back', async ({ expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished)
  await redis.stop()

  expect(await refusalOf(`${socketUrl}/v1/listen`, KEY)).toMatchObject({
    status: 503,
    retryAfter: '1',
    body: { error: 'Accounts cannot be checked right now.' },
  })
})

test('without a speech server it is a 503, and no place is held', async ({ expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished, {
    variables: { STT_SERVERS: 'gone=http://127.0.0.1:1' },
  })

  expect(await refusalOf(`${socketUrl}/v1/listen`, KEY)).toMatchObject({
    status: 503,
    retryAfter: '1',
    body: { error: 'No speech server can take the stream.' },
  })
  expect(await redis.client.zcard('org:acme:connections')).toBe(0)
})
