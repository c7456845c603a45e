import { on, once } from 'node:events'
import { createServer } from 'node:http'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  accessOf,
  createDeferred,
  createTarget,
  createTargetOf,
  exchangeRaw,
  forwardTo,
  healthCheck,
  openSocket,
  readUntil,
  register,
  startTestBalancer,
} from '../tests/test-balancer.ts'
import type { Rule } from './model.ts'

const HANDSHAKE = [
  'Host: api.localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n')

const upgradeRule: Rule = {
  priority: 1,
  conditions: [{ field: 'http-header', name: 'Upgrade', values: ['websocket'] }],
  action: forwardTo('sockets'),
}

const groups = ['web', 'sockets'].map((name) => ({ name, healthCheck }))

async function startEcho(onTestFinished: (cleanUp: () => Promise<void>) => void): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(websocket)
  app.get('/health', () => 'ok')
  app.get('/plain', () => 'plain')
  app.get('/echo', { websocket: true }, (socket, request) => {
    socket.send(JSON.stringify({ headers: request.headers, raw: request.raw.rawHeaders }))
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }))
  })
  app.get(
    '/closed',
    { websocket: true, preHandler: async (_, reply) => reply.code(401).send('no key') },
    () => undefined,
  )
  await app.ready()
  onTestFinished(() => app.close())
  return app
}

test('a WebSocket goes to the target of its rule, frames both ways, and is logged once at its end with all its bytes', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({
    onTestFinished,
    rules: [upgradeRule],
    targetGroups: groups,
  })
  const app = await startEcho(onTestFinished)
  await register(balancer, 'sockets', [createTargetOf('socket-task', app.server)])
  await register(balancer, 'web', [createTarget('web-task', (_, response) => response.end('web'))])

  const client = new WebSocket(`ws://127.0.0.1:${port}/echo?key=secret`)
  const messages = on(client, 'message')
  const [{ socket }] = (await once(client, 'upgrade')) as [{ socket: { bytesRead: number; bytesWritten: number } }]
  const greeting = await next(messages)
  const audio = Buffer.alloc(200_000, 7)
  client.send(audio)
  const echoed = await next(messages)
  const loggedWhileOpen = events.of('alb.access').length
  client.close(1000)
  const [code] = (await once(client, 'close')) as [number]

  expect({ code, echoed: audio.equals(echoed), loggedWhileOpen }).toEqual({
    code: 1000,
    echoed: true,
    loggedWhileOpen: 0,
  })
  const { headers } = JSON.parse(greeting.toString()) as { headers: Record<string, string> }
  expect(headers).toMatchObject({
    connection: 'Upgrade',
    upgrade: 'websocket',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(port),
  })
  const access = await accessOf(events, '/echo')
  expect(access).toMatchObject({ kind: 'ws', status: 101, rule: 1, targetGroup: 'sockets', target: 'socket-task' })
  expect(access.receivedBytes).toBe(socket.bytesWritten)
  expect(access.sentBytes).toBe(socket.bytesRead)
  expect(access.traceId).toBe(headers['x-amzn-trace-id'])
  expect(await (await fetch(`http://127.0.0.1:${port}/echo`)).text()).toBe('web')
})

async function next(messages: AsyncIterableIterator<unknown[]>): Promise<Buffer> {
  const { value } = (await messages.next()) as { value: [Buffer] }
  return value[0]
}

test('what a client sends right behind its handshake arrives', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const server = createServer((_, response) => response.end())
  server.on('upgrade', (_request, socket, head) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head.toString()}`)
    socket.pipe(socket)
  })
  await register(balancer, 'web', [createTargetOf('one', server)])
  const socket = await openSocket(port, onTestFinished)

  socket.write(`GET /early HTTP/1.1\r\n${HANDSHAKE}early`)

  expect(await readUntil(socket, 'early')).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\nearly')
  socket.write('late')
  expect(await readUntil(socket, 'late')).toBe('late')
})

test('an answer other than 101 reaches the client and is logged as a plain request', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const app = await startEcho(onTestFinished)
  await register(balancer, 'web', [createTargetOf('one', app.server)])

  const refused = await exchangeRaw(port, `GET /closed HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)

  expect(refused).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[^]*no key$/)
  expect(await accessOf(events, '/closed')).toMatchObject({ kind: 'http', status: 401 })
})

test('a target that knows no upgrades answers the handshake as the plain request it also is', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  await register(balancer, 'web', [createTarget('one', (_, response) => response.end('just a page'))])

  const received = await exchangeRaw(port, `GET /page HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)

  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n[^]*just a page$/)
  expect(await accessOf(events, '/page')).toMatchObject({ kind: 'http', status: 200, target: 'one' })
})

test('without a target the handshake gets a 503', async ({ expect, onTestFinished }) => {
  const { port, events } = await startTestBalancer({ onTestFinished })

  const received = await exchangeRaw(port, `GET /none HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)

  expect(received).toMatch(/^HTTP\/1\.1 503 Service Temporarily Unavailable\r\nServer: awselb\/2\.0\r\n/)
  expect(await accessOf(events, '/none')).toMatchObject({ kind: 'http', status: 503 })
})

test('a killed target cuts its open sockets and answers handshakes that wait with a 502', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const waiting = createDeferred<void>()
  const server = createServer((_, response) => response.end())
  server.on('upgrade', (request, socket) => {
    if (request.url === '/open') socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    else waiting.resolve()
  })
  const target = createTargetOf('one', server)
  await register(balancer, 'web', [target])
  const open = await openSocket(port, onTestFinished)
  open.write(`GET /open HTTP/1.1\r\n${HANDSHAKE}`)
  await readUntil(open, '\r\n\r\n')
  const waited = exchangeRaw(port, `GET /waiting HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)
  await waiting.promise

  target.kill()

  await once(open.resume(), 'close')
  expect(await waited).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
  expect(await accessOf(events, '/open')).toMatchObject({ kind: 'ws', status: 101 })
  expect(await accessOf(events, '/waiting')).toMatchObject({ kind: 'http', status: 502 })
  expect(await exchangeRaw(port, `GET /after HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)).toContain('502 Bad Gateway')
})

test('the status of an answer that ends the socket at once is logged too', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer((_, response) => response.end())
  server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => undefined))
  await register(balancer, 'web', [createTargetOf('one', server)])

  const received = await exchangeRaw(
    port,
    `GET /old HTTP/1.1\r\n${HANDSHAKE.replace('Version: 13', 'Version: 7')}`,
    onTestFinished,
  )

  expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(await accessOf(events, '/old')).toMatchObject({ kind: 'http', status: 400 })
})

test('a target that throws on an upgrade is a 502', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const server = createServer((_, response) => response.end())
  server.on('upgrade', () => {
    throw new Error('broken')
  })
  await register(balancer, 'web', [createTargetOf('one', server)])

  const received = await exchangeRaw(port, `GET / HTTP/1.1\r\n${HANDSHAKE}`, onTestFinished)

  expect(received).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
})

test('a client that resets its socket harms nobody', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const server = createServer((_, response) => response.end('alive'))
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    socket.on('data', () => socket.write('more'))
  })
  await register(balancer, 'web', [createTargetOf('one', server)])
  const socket = await openSocket(port, onTestFinished)
  socket.write(`GET /reset HTTP/1.1\r\n${HANDSHAKE}`)
  await readUntil(socket, '\r\n\r\n')

  socket.write('data')
  socket.resetAndDestroy()

  expect(await accessOf(events, '/reset')).toMatchObject({ kind: 'ws', status: 101 })
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('alive')
})
