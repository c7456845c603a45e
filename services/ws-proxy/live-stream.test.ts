import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { duplexPair } from 'node:stream'
import { test, type TestContext } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { TEST_KEY, usageIn } from '../account/testing.ts'
import { startScripted, tone } from '../stt/testing.ts'
import type { SpeechMessage } from '../wire/speech.ts'
import { connectClient, refusalOf, say, startProxy } from './testing.ts'

const PCM = '/v1/listen?encoding=linear16'

test('a bad text message is answered and the stream goes on', async ({ expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished)
  const { socket, messages, closed } = await connectClient(onTestFinished, socketUrl + PCM)

  for (const text of ['not json', '[]', '{"type":"Bogus"}', '{"type":"Configure"}']) socket.send(text)
  socket.send(tone(0.64))
  socket.send(say('CloseStream'))

  expect((await closed).code).toBe(1000)
  const typeless = 'A text message must be a JSON object with a "type".'
  const bogus = 'There is no message type "Bogus".'
  expect(messages.filter(({ type }) => type === 'Error')).toEqual(
    [typeless, typeless, bogus].map((text) => ({
      type: 'Error',
      variant: 'SchemaError',
      description: text,
      message: text,
    })),
  )
  expect(messages.at(-1)).toMatchObject({ type: 'Results', is_final: true, text: 'Hello, world.' })
})

test('an empty frame ends the stream as CloseStream does', async ({ expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished)
  const { socket, closed } = await connectClient(onTestFinished, socketUrl + PCM)
  socket.send(Buffer.alloc(0))
  expect((await closed).code).toBe(1000)
})

test('a client that says nothing for ten seconds is closed, one that says KeepAlive is not', async ({
  expect,
  onTestFinished,
}) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const { socketUrl, redis } = await startProxy(onTestFinished, { runtime: { clock } })
  const quiet = await connectClient(onTestFinished, socketUrl + PCM)
  const alive = await connectClient(onTestFinished, socketUrl + PCM)
  quiet.socket.send(tone(1.28))
  await quiet.next('Results')

  await clock.advance(6_000)
  alive.socket.send(say('KeepAlive'))
  // Its answer shows that the message before it has arrived.
  alive.socket.send('?')
  await alive.next('Error')
  await clock.advance(6_000)

  expect(await quiet.closed).toEqual({ code: 1011, reason: 'NET-0001' })
  expect(alive.socket.readyState).toBe(alive.socket.OPEN)
  await expect.poll(() => usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '1.28' }])
})

test('audio that is none is said to be none', async ({ expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished)
  const { socket, closed, next } = await connectClient(onTestFinished, `${socketUrl}/v1/listen?encoding=wav`)

  socket.send(Buffer.from('this is not a RIFF header, and long enough to know'))

  expect(await closed).toEqual({ code: 1008, reason: 'DATA-0000' })
  expect(await next('Error')).toMatchObject({ variant: 'SchemaError' })
  expect(await usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '0' }])
})

test('what a client that vanishes had said is counted to the end', async ({ expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished)
  const { socket, next } = await connectClient(onTestFinished, `${socketUrl}${PCM}&interim_results=false`)
  socket.send(tone(1.5))
  socket.send('?')
  await next('Error')

  socket.terminate()

  await expect.poll(() => usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '1.5' }])
  expect(await redis.client.zcard('org:acme:connections')).toBe(0)
})

test('what a client had sent before it went is counted in full, also by a speech server that is late', async ({
  expect,
  onTestFinished,
}) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const finishing: WebSocket[] = []
  const late = await startSpeech(onTestFinished, (socket) => {
    socket.on('message', (data: Buffer) => {
      if (data.toString() === say('CloseStream')) finishing.push(socket)
    })
  })
  const { socketUrl, redis } = await startProxy(onTestFinished, {
    variables: { STT_SERVERS: `late=${late}` },
    runtime: { clock },
  })
  const { socket } = await connectClient(onTestFinished, socketUrl + PCM)
  socket.send(tone(1))
  socket.close()
  await expect.poll(() => finishing).toHaveLength(1)

  await clock.advance(30_000)
  for (const speech of finishing) {
    tell(speech, { type: 'Summary', audioSeconds: 1 })
    speech.close(1000)
  }

  await expect.poll(() => usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '1' }])
})

test('when the speech server dies the client hears of it, and pays for what it got', async ({
  expect,
  onTestFinished,
}) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const { socketUrl, redis, speech } = await startProxy(onTestFinished, {
    variables: { IDLE_TIMEOUT_MS: '60000' },
    runtime: { clock },
  })
  const { socket, closed, messages, next } = await connectClient(onTestFinished, socketUrl + PCM)
  socket.send(tone(1.28))
  const { duration } = await next('Results')

  speech.running.kill()

  // None comes in its place.
  await expect
    .poll(async () => {
      await clock.advance(1_000)
      return socket.readyState
    })
    .toBe(socket.CLOSED)
  expect(await closed).toEqual({ code: 1011, reason: 'NET-0000' })
  expect(messages.at(-1)).toMatchObject({ type: 'Error', variant: 'ServerError' })
  const [usage, ...others] = await usageIn(redis)
  expect(others).toEqual([])
  expect(Number(usage?.['seconds'])).toBeGreaterThanOrEqual(Number(duration))
  expect(Number(usage?.['seconds'])).toBeLessThanOrEqual(1.28)
})

test('a new stream finds the speech server that is left', async ({ expect, onTestFinished }) => {
  const left = await startScripted(onTestFinished, { default: 'Still here.' })
  const { socketUrl } = await startProxy(onTestFinished, {
    variables: { STT_SERVERS: `gone=http://127.0.0.1:1,here=${left.url}` },
  })
  for (const _attempt of [1, 2]) {
    const { socket, closed, messages } = await connectClient(onTestFinished, socketUrl + PCM)
    socket.send(tone(0.64))
    socket.send(say('CloseStream'))
    await closed
    expect(messages.at(-1)).toMatchObject({ text: 'Still here.' })
  }
})

test('a stream outlives Redis, and its usage is written when Redis is back', async ({ expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished)
  const first = await connectClient(onTestFinished, socketUrl + PCM)
  const second = await connectClient(onTestFinished, socketUrl + PCM)

  await redis.stop()
  for (const [{ socket, closed }, seconds] of [
    [first, 0.64],
    [second, 1.28],
  ] as const) {
    socket.send(tone(seconds))
    socket.send(say('CloseStream'))
    expect((await closed).code).toBe(1000)
  }
  await redis.restart()

  await expect.poll(() => usageIn(redis), { timeout: 5_000 }).toMatchObject([{ seconds: '0.64' }, { seconds: '1.28' }])
  expect(first.messages.at(-1)).toMatchObject({ is_final: true, text: 'Hello, world.' })
})

test('draining takes no new streams and lets the open ones finish', async ({ expect, onTestFinished }) => {
  const { socketUrl, running, redis } = await startProxy(onTestFinished)
  const { socket, closed, messages } = await connectClient(onTestFinished, socketUrl + PCM)

  const drained = running.drain()
  // Its own port is closed now; an in-process balancer can still hand a request over.
  const [ours, theirs] = duplexPair()
  running.server?.emit('connection', theirs)
  ours.write(`${upgradeHead('/v1/listen')}\r\n\r\n`)
  const [refusal] = (await once(ours, 'data')) as [Buffer]
  socket.send(tone(0.64))
  socket.send(say('CloseStream'))

  expect((await closed).code).toBe(1000)
  await drained
  expect(refusal.toString()).toMatch(/^HTTP\/1\.1 503 /)
  expect(messages.at(-1)).toMatchObject({ text: 'Hello, world.' })
  expect(await usageIn(redis)).toMatchObject([{ seconds: '0.64' }])
})

test('stopping ends open streams and counts them', async ({ expect, onTestFinished }) => {
  const { socketUrl, running, redis } = await startProxy(onTestFinished, { variables: { STOP_DEADLINE_MS: '0' } })
  const { socket, closed, next } = await connectClient(onTestFinished, socketUrl + PCM)
  socket.send(tone(1))
  socket.send('?')
  await next('Error')

  await running.stop()

  expect(await closed).toEqual({ code: 1001, reason: '' })
  expect(await usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '1' }])
  expect(await redis.client.zcard('org:acme:connections')).toBe(0)
})

test('stopping waits neither for a mute speech server nor for a mute client', async ({ expect, onTestFinished }) => {
  const mute = await startSpeech(onTestFinished, (socket) => {
    tell(socket, { ...RESULT, startSeconds: 0, durationSeconds: 3 })
    socket.pause()
  })
  const { socketUrl, running, redis } = await startProxy(onTestFinished, {
    variables: { STT_SERVERS: `mute=${mute}`, STOP_DEADLINE_MS: '0' },
  })
  const { socket, next } = await connectClient(onTestFinished, socketUrl + PCM)
  await next('Results')
  socket.pause()

  await running.stop()

  expect(await usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '3' }])
})

test('killing drops the client at once', async ({ expect, onTestFinished }) => {
  const { socketUrl, running } = await startProxy(onTestFinished)
  const { closed } = await connectClient(onTestFinished, socketUrl + PCM)
  running.kill()
  expect((await closed).code).toBe(1006)
})

test('audio sent along with the request is not lost', async ({ expect, onTestFinished }) => {
  const { url, redis } = await startProxy(onTestFinished)
  const hasty = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void hasty.destroy())
  const audio = Buffer.from(tone(0.64))

  hasty.write(
    Buffer.concat([
      Buffer.from(`${upgradeHead(PCM)}\r\nAuthorization: Bearer ${TEST_KEY}\r\n\r\n`),
      clientFrame(0x2, audio),
      clientFrame(0x1, Buffer.from(say('CloseStream'))),
    ]),
  )
  hasty.resume()

  await expect.poll(() => usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '0.64' }])
})

test('a speech server that does not listen holds the client back, and nothing is lost', async ({
  expect,
  onTestFinished,
}) => {
  let receivedBytes = 0
  let speech: WebSocket | undefined
  const slow = await startSpeech(onTestFinished, (socket) => {
    speech = socket
    socket.pause()
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) receivedBytes += data.length
      if (data.toString() !== say('CloseStream')) return
      tell(socket, { type: 'Summary', audioSeconds: 7 })
      socket.close(1000)
    })
  })
  const { socketUrl, redis } = await startProxy(onTestFinished, { variables: { STT_SERVERS: `slow=${slow}` } })
  const { socket, closed } = await connectClient(onTestFinished, socketUrl + PCM)
  const frame = Buffer.alloc(64 * 1024)
  // More than all kernel buffers between here and there, and than what the proxy may hold, together.
  const frames = 1_000
  let taken = 0
  const sendNext = (): void => {
    if (taken === frames) return socket.send(say('CloseStream'))
    socket.send(frame, () => {
      taken += 1
      sendNext()
    })
  }

  sendNext()
  let before = -1
  await expect
    .poll(
      () => {
        const isStill = taken === before
        before = taken
        return isStill
      },
      { interval: 200 },
    )
    .toBe(true)
  const takenBeforeBytes = taken * frame.length
  speech?.resume()

  expect((await closed).code).toBe(1000)
  expect(takenBeforeBytes).toBeLessThan(32 * 1024 * 1024)
  expect(receivedBytes).toBe(frames * frame.length)
  expect(await usageIn(redis)).toMatchObject([{ seconds: '7' }])
})

test('a refusal of the speech server after the upgrade request is the answer to it', async ({
  expect,
  onTestFinished,
}) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => tell(socket, { type: 'Failure', status: 503, error: 'Busy.' }))
  const busy = await originOf(onTestFinished, server)
  const { socketUrl } = await startProxy(onTestFinished, { variables: { STT_SERVERS: `busy=${busy}` } })

  expect(await refusalOf(socketUrl + PCM, ['token', TEST_KEY])).toMatchObject({ status: 503, retryAfter: '1' })
})

type OnTestFinished = TestContext['onTestFinished']

const RESULT = {
  type: 'Result',
  isFinal: true,
  speechFinal: false,
  fromFinalize: false,
  text: '',
  confidence: 0,
  words: [],
} as const

function tell(socket: WebSocket, message: SpeechMessage): void {
  socket.send(JSON.stringify(message))
}

/** A speech server that does what the test says once a stream is open. */
function startSpeech(onTestFinished: OnTestFinished, serve: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => {
    tell(socket, { type: 'Open', model: { name: 'test', version: '1' } })
    serve(socket)
  })
  return originOf(onTestFinished, server)
}

async function originOf(onTestFinished: OnTestFinished, server: WebSocketServer): Promise<string> {
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function upgradeHead(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ].join('\r\n')
}

/** A whole client frame (RFC 6455 §5.2), its mask all zeros. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | 126
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}
