import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { describe, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  type TestBalancer,
  accessOf,
  createTargetOf,
  exchangeRaw,
  forwardTo,
  healthCheck,
  openSocket,
  register,
  startNetworkTarget,
  startTestBalancer,
} from '../../tests/test-balancer.ts'
import { type OnTestFinished, TARGET_KINDS, type TargetKind, createReader, pageOf } from './testing.ts'

const HANDSHAKE = [
  'Host: a',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n')

/** Says over `/health` whether it is healthy, echoes over every other path, refuses `/closed`. */
function createEcho(isHealthy: () => boolean = () => true): Server {
  const server = createServer((_, response) => response.writeHead(isHealthy() ? 200 : 500).end('plain'))
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/closed')
      return void socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nno key')
    if (request.url === '/silent') return
    sockets.handleUpgrade(request, socket, head, (client) => client.on('message', (data) => client.send(data)))
  })
  return server
}

async function startEcho(
  kind: TargetKind,
  onTestFinished: OnTestFinished,
  isHealthy?: () => boolean,
): Promise<TestBalancer> {
  const targetGroups = [
    { name: 'web', healthCheck, deregistrationDelaySeconds: 40 },
    { name: 'other', healthCheck },
  ]
  const started = await startTestBalancer({ onTestFinished, targetGroups })
  const server = createEcho(isHealthy)
  const target =
    kind === 'network' ? await startNetworkTarget('one', server, onTestFinished) : createTargetOf('one', server)
  await register(started.balancer, 'web', [target])
  return started
}

async function open(port: number, path: string): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  await once(client, 'open')
  return client
}

async function echo(client: WebSocket, text: string): Promise<string> {
  client.send(text)
  const [data] = (await once(client, 'message')) as [Buffer]
  return data.toString()
}

describe.for(TARGET_KINDS)('item 14, before a target %s', (kind) => {
  test('neither an unhealthy target nor a changed rule cuts an open socket', async ({ expect, onTestFinished }) => {
    let isHealthy = true
    const { balancer, port, clock } = await startEcho(kind, onTestFinished, () => isHealthy)
    const client = await open(port, '/echo')

    isHealthy = false
    for (let checks = 0; checks < 4; checks += 1) {
      await clock.advance(15_000)
      await echo(client, 'still there')
    }
    const rules = balancer.listeners[0]?.rules
    rules?.createRule({
      priority: 1,
      conditions: [{ field: 'path-pattern', values: ['*'] }],
      action: forwardTo('other'),
    })

    expect(await echo(client, 'after')).toBe('after')
    expect(await (await fetch(`http://127.0.0.1:${port}/x`)).text()).toContain('503')
    client.terminate()
  })

  test('deregistration cuts it when the delay is over', async ({ expect, onTestFinished }) => {
    const { balancer, port, clock, events } = await startEcho(kind, onTestFinished)
    const client = await open(port, '/echo')
    const closed = once(client, 'close')
    balancer.targetGroup('web').deregister('one')

    await clock.advance(39_999)
    expect(await echo(client, 'draining')).toBe('draining')
    await clock.advance(1)

    expect((await closed)[0]).toBe(1006)
    expect(await accessOf(events, '/echo')).toMatchObject({ status: 101, durationMs: 40_000 })
  })

  test('60 s without a byte close it without a close frame', async ({ expect, onTestFinished }) => {
    const { port, clock, events } = await startEcho(kind, onTestFinished)
    const client = await open(port, '/echo')
    await echo(client, 'hello')
    const closed = once(client, 'close')

    await clock.advance(59_999)
    const before = client.readyState
    await clock.advance(1)

    expect((await closed)[0]).toBe(1006)
    expect(before).toBe(WebSocket.OPEN)
    expect(await accessOf(events, '/echo')).toMatchObject({ status: 101, failure: 'idle-timeout' })
  })

  test('a ping every 30 s keeps it', async ({ expect, onTestFinished }) => {
    const { port, clock } = await startEcho(kind, onTestFinished)
    const client = await open(port, '/echo')

    for (let pings = 0; pings < 6; pings += 1) {
      await clock.advance(30_000)
      client.ping()
      await once(client, 'pong')
    }

    expect(await echo(client, 'kept')).toBe('kept')
    client.terminate()
  })

  test('its one line comes at its close, with 101 and all its bytes', async ({ expect, onTestFinished }) => {
    const { port, clock, events } = await startEcho(kind, onTestFinished)
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)
    socket.write(`GET /echo HTTP/1.1\r\n${HANDSHAKE}`)
    await reader.until('\r\n\r\n')
    await clock.advance(5_000)
    // A masked text frame, and its echo.
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
    await reader.until('hi')
    const whileOpen = events.of('alb.access').length
    const { bytesRead, bytesWritten } = socket

    socket.destroy()

    expect(await accessOf(events, '/echo')).toMatchObject({
      kind: 'ws',
      status: 101,
      targetStatus: 101,
      durationMs: 5_000,
      receivedBytes: bytesWritten,
      sentBytes: bytesRead,
    })
    expect(whileOpen).toBe(0)
  })

  test('another answer than 101 is forwarded as it is', async ({ expect, onTestFinished }) => {
    const { port, events } = await startEcho(kind, onTestFinished)

    const received = await exchangeRaw(port, `GET /closed HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)

    expect(received).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[^]*no key$/)
    expect(await accessOf(events, '/closed')).toMatchObject({ kind: 'http', status: 401 })
  })

  test('a target that does not answer the handshake is a 504', async ({ expect, onTestFinished }) => {
    const { port, clock, events } = await startEcho(kind, onTestFinished)
    const pending = clock.pending
    const answered = exchangeRaw(port, `GET /silent HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)
    await expect.poll(() => clock.pending).toBeGreaterThan(pending)
    for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate)

    await clock.advance(60_000)

    expect(await answered).toMatch(/^HTTP\/1\.1 504 Gateway Time-out\r\n/)
    expect(await accessOf(events, '/silent')).toMatchObject({ status: 504, failure: 'target-timeout' })
  })

  test('a side that says no more may still listen', async ({ expect, onTestFinished }) => {
    const { balancer, port } = await startTestBalancer({ onTestFinished })
    const server = createServer((_, response) => response.end('ok'))
    server.on('upgrade', (_request, socket: Duplex) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.on('data', (chunk: Buffer) => {
        socket.write(chunk)
        socket.end('bye')
      })
    })
    const target =
      kind === 'network' ? await startNetworkTarget('one', server, onTestFinished) : createTargetOf('one', server)
    await register(balancer, 'web', [target])
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)
    socket.write(`GET / HTTP/1.1\r\n${HANDSHAKE}`)
    await reader.until('\r\n\r\n')

    socket.write('hello')

    expect(await reader.until('bye')).toBe('hellobye')
    await once(socket, 'end')
  })
})

test('item 14: a handshake without a target gets the HTML error', async ({ expect, onTestFinished }) => {
  const { port, events } = await startTestBalancer({ onTestFinished })

  const received = await exchangeRaw(port, `GET /none HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)

  expect(received).toMatch(/^HTTP\/1\.1 503 Service Temporarily Unavailable\r\nServer: awselb\/2\.0\r\n/)
  expect(received.endsWith(pageOf('503 Service Temporarily Unavailable'))).toBe(true)
  expect(await accessOf(events, '/none')).toMatchObject({ kind: 'http', status: 503 })
})
