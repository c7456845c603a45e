import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { json } from 'node:stream/consumers'
import { test, type TestContext } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { usageIn } from '../account/testing.ts'
import { startScripted, tone, wavOf } from '../stt/testing.ts'
import { BEARER, startTranscribe } from './testing.ts'

const CLIP = wavOf(tone(1))
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

interface Bad {
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
}

test.for<[why: string, status: number, bad: Bad, error: string | RegExp]>([
  ['no key', 401, { headers: {} }, 'An API key is needed.'],
  ['an unknown key', 401, { headers: { authorization: 'Bearer org_unknown' } }, 'The API key is not valid.'],
  ['a key that is none', 401, { headers: { authorization: 'Bearer sk-123' } }, 'An API key is needed.'],
  ['another scheme', 401, { headers: { authorization: `Basic ${btoa('org_test_key-1:')}` } }, 'An API key is needed.'],
  ['an empty body', 400, { body: '' }, 'The request has no audio in its body.'],
  ['no audio', 415, { body: 'just text, no audio at all' }, /./],
  ['half a header', 415, { body: CLIP.subarray(0, 20) }, /./],
  ['more than the longest audio', 413, { body: wavOf(tone(6)) }, /./],
  ['more than the largest body', 413, { body: new Uint8Array(300_000) }, 'The audio is larger than 200000 bytes.'],
  ['a flag that is none', 422, { path: '/v1/listen?punctuate=maybe' }, /^punctuate is "maybe"/],
  ['another language', 422, { path: '/v1/listen?language=es' }, /"es" is not installed here; installed: \S+ \(en\)/],
  ['a callback', 422, { path: '/v1/listen?callback=http://x' }, /^callback is not supported/],
  ['another dialect', 422, { path: '/v1/listen?compat=whisper' }, /^compat is "whisper"/],
  ['an unknown path', 404, { path: '/v1/unknown?a=b' }, 'There is no POST /v1/unknown.'],
  ['another method', 404, { method: 'PUT' }, 'There is no PUT /v1/listen.'],
  ['a path that cannot be decoded', 400, { path: '/%zz' }, /./],
  ['JSON that is none', 400, { headers: { 'content-type': 'application/json' }, body: '{' }, /must be JSON/],
  ['JSON without a URL', 400, { headers: { 'content-type': 'application/json' }, body: '{"uri":1}' }, /must be JSON/],
  [
    'a URL of another scheme',
    422,
    { headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{"url":"file:///etc/passwd"}' },
    'url must be an http or https address.',
  ],
  [
    'a URL where nobody is',
    422,
    { headers: { 'content-type': 'application/json' }, body: '{"url":"http://127.0.0.1:1/a.wav"}' },
    /^The audio cannot be fetched from http:\/\/127\.0\.0\.1:1\. ./,
  ],
])('%s is a %i', async ([, status, bad, error], { expect, onTestFinished }) => {
  const { url, redis } = await startTranscribe(onTestFinished, { variables: { MAX_BODY_BYTES: '200000' } })
  const { path = '/v1/listen', method = 'POST', headers = {}, body = CLIP } = bad
  const isAnonymous = bad.headers !== undefined && !('content-type' in bad.headers)

  const answer = await fetch(url + path, { method, headers: { ...(isAnonymous ? {} : BEARER), ...headers }, body })

  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toContain('application/json')
  const answered = (await answer.json()) as { error: string }
  expect(answered).toEqual({ error: answered.error, request_id: expect.stringMatching(UUID) as unknown })
  expect(answered.error).toMatch(error)
  expect(await usageIn(redis)).toEqual([])
})

test('an endless body is refused while it comes, whatever it claimed', async ({ expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished, { variables: { MAX_BODY_BYTES: '100000' } })
  const sending = httpRequest(`${url}/v1/listen`, { method: 'POST', headers: BEARER })
  onTestFinished(() => void sending.destroy())
  const answered = once(sending, 'response')
  const chunk = Buffer.alloc(10_000)
  const sendOn = (): void => {
    if (!sending.destroyed) sending.write(chunk, () => setImmediate(sendOn))
  }
  sendOn()

  const [answer] = (await answered) as [IncomingMessage]

  // Our own words: the speech server would let a thousand times as much pass.
  expect([answer.statusCode, await json(answer)]).toMatchObject([
    413,
    { error: 'The audio is larger than 100000 bytes.' },
  ])
})

test('a file named by its URL is fetched', async ({ expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished)
  const audio = await serve(onTestFinished, (path) =>
    path === '/moved' ? { status: 302, location: '/clip.wav' } : { status: 200, body: CLIP },
  )

  const answer = await fetch(`${url}/v1/listen`, {
    method: 'POST',
    headers: { ...BEARER, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${audio}/moved` }),
  })

  expect(await answer.json()).toMatchObject({ text: 'Hello, world.', metadata: { duration: 1 } })
})

test.for<[why: string, status: number, served: Served | undefined, error: RegExp]>([
  ['is not there', 422, { status: 404 }, /The server answered 404\./],
  ['is too large', 413, { status: 200, body: new Uint8Array(200_001) }, /larger than 200000 bytes/],
  ['says nothing', 422, undefined, /longer than 1000 ms/],
])('a file behind a URL that %s is a %i', async ([, status, served, error], { expect, onTestFinished }) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const { url } = await startTranscribe(onTestFinished, {
    variables: { MAX_BODY_BYTES: '200000', FETCH_TIMEOUT_MS: '1000' },
    runtime: { clock },
  })
  const audio = await serve(onTestFinished, () => {
    if (!served) void clock.advance(1_000)
    return served
  })

  const answer = await fetch(`${url}/v1/listen`, {
    method: 'POST',
    headers: { ...BEARER, 'content-type': 'application/json' },
    body: JSON.stringify({ url: audio }),
  })

  expect(answer.status).toBe(status)
  expect(((await answer.json()) as { error: string }).error).toMatch(error)
})

test('the next speech server is taken when one is not there', async ({ expect, onTestFinished }) => {
  const { url: there } = await startScripted(onTestFinished, { default: 'Still here.' })
  const { url } = await startTranscribe(onTestFinished, {
    variables: { STT_SERVERS: `gone=http://127.0.0.1:1,here=${there}` },
  })

  for (const _attempt of [1, 2]) {
    const answer = await fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })
    expect(await answer.json()).toMatchObject({ text: 'Still here.' })
  }
})

test('speech servers take turns', async ({ expect, onTestFinished }) => {
  const [one, two] = await Promise.all([
    startScripted(onTestFinished, { default: 'one' }),
    startScripted(onTestFinished, { default: 'two' }),
  ])
  const { url } = await startTranscribe(onTestFinished, { variables: { STT_SERVERS: `a=${one.url},b=${two.url}` } })

  const texts: unknown[] = []
  for (const _attempt of [1, 2, 3, 4]) {
    const answer = await fetch(`${url}/transcribe`, { method: 'POST', headers: BEARER, body: CLIP })
    texts.push(((await answer.json()) as { text: string }).text)
  }

  expect(texts).toEqual(['one', 'two', 'one', 'two'])
})

test('without any speech server it is a 503 that says when to come back', async ({ expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished, { variables: { STT_SERVERS: 'gone=http://127.0.0.1:1' } })

  const answer = await fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })

  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await answer.json()).toMatchObject({ error: 'No speech server answers.' })
})

test('a speech server that dies over a file is a 503, and the file is not sent twice', async ({
  expect,
  onTestFinished,
}) => {
  let taken = 0
  const dying = createServer((request) => {
    taken += 1
    request.once('data', () => request.socket.destroy())
  })
  const origin = await listen(onTestFinished, dying)
  const { url, redis } = await startTranscribe(onTestFinished, {
    variables: { STT_SERVERS: `a=${origin},b=${origin}` },
  })

  const answer = await fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })

  expect([answer.status, taken]).toEqual([503, 1])
  expect(await usageIn(redis)).toEqual([])
})

test('requests beyond the minute are refused until the next one', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1, 0, 0, 45))
  const { url } = await startTranscribe(onTestFinished, { limits: { requests_per_minute: 2 }, runtime: { clock } })
  const send = (): Promise<Response> => fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })
  const statuses = [(await send()).status, (await send()).status]

  const refused = await send()
  await clock.advance(15_000)

  expect([...statuses, refused.status, refused.headers.get('retry-after')]).toEqual([200, 200, 429, '15'])
  expect((await send()).status).toBe(200)
})

test('without Redis it is a 503 that says when to come back', async ({ expect, onTestFinished }) => {
  const { url, redis } = await startTranscribe(onTestFinished)
  await redis.stop()

  const answer = await fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })

  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await answer.json()).toMatchObject({ error: 'Accounts cannot be checked right now.' })
})

test('usage of a file that was in work when Redis went is written when it is back', async ({
  expect,
  onTestFinished,
}) => {
  let answerNow = (): void => undefined
  const slow = createServer((request, response) => {
    request.resume()
    const transcript = { audioSeconds: 2.5, channels: 1, text: '', confidence: 0, words: [], language: 'en' }
    answerNow = () => void response.setHeader('content-type', 'application/json').end(JSON.stringify(transcript))
  })
  const asked = once(slow, 'request')
  const origin = await listen(onTestFinished, slow)
  const { url, redis } = await startTranscribe(onTestFinished, { variables: { STT_SERVERS: `a=${origin}` } })
  const answer = fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })
  await asked

  await redis.stop()
  answerNow()
  const { status } = await answer
  await redis.restart()

  expect(status).toBe(200)
  await expect.poll(() => usageIn(redis), { timeout: 5_000 }).toMatchObject([{ kind: 'file', seconds: '2.5' }])
})

test('draining lets a file finish and takes no other', async ({ expect, onTestFinished }) => {
  let answerNow = (): void => undefined
  const slow = createServer((request, response) => {
    request.resume()
    const transcript = { audioSeconds: 1, channels: 1, text: 'late', confidence: 0, words: [], language: 'en' }
    answerNow = () => void response.setHeader('content-type', 'application/json').end(JSON.stringify(transcript))
  })
  const asked = once(slow, 'request')
  const origin = await listen(onTestFinished, slow)
  const { url, running } = await startTranscribe(onTestFinished, { variables: { STT_SERVERS: `a=${origin}` } })
  const first = fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })
  await asked

  const drained = running.drain()
  await expect(fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })).rejects.toThrow()
  answerNow()

  expect(await (await first).json()).toMatchObject({ text: 'late' })
  await drained
})

test('stopping tells who still waits that it is over', async ({ expect, onTestFinished }) => {
  const mute = createServer((request) => void request.resume())
  const asked = once(mute, 'request')
  const origin = await listen(onTestFinished, mute)
  const { url, running } = await startTranscribe(onTestFinished, {
    variables: { STT_SERVERS: `a=${origin}`, STOP_DEADLINE_MS: '0' },
  })
  const waiting = fetch(`${url}/v1/listen`, { method: 'POST', headers: BEARER, body: CLIP })
  await asked

  await running.stop()

  expect((await waiting).status).toBe(503)
})

type OnTestFinished = TestContext['onTestFinished']

interface Served {
  readonly status: number
  readonly location?: string
  readonly body?: Uint8Array
}

/** A web server that answers as told, or never. */
function serve(onTestFinished: OnTestFinished, answer: (path: string) => Served | undefined): Promise<string> {
  const server = createServer((request, response) => {
    const served = answer(request.url ?? '')
    if (!served) return
    response.writeHead(served.status, served.location === undefined ? {} : { location: served.location })
    response.end(served.body)
  })
  return listen(onTestFinished, server)
}

async function listen(onTestFinished: OnTestFinished, server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a refused client that neither sends on nor leaves loses its connection', async ({ expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished, { variables: { MAX_BODY_BYTES: '1000' } })
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const head = `POST /v1/listen HTTP/1.1\r\nHost: a\r\nAuthorization: ${BEARER.authorization}\r\n`
  let answer = ''
  socket.on('data', (chunk) => (answer += String(chunk)))
  const closed = once(socket, 'close')

  // A chunk that never ends: the server must not wait for the rest of it for ever.
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\nffffff\r\n${'x'.repeat(100_000)}`)

  await closed
  expect(answer).toMatch(/^HTTP\/1.1 413 /)
})
