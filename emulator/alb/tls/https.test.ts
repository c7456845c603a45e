import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import { connect as connectHttp2, constants } from 'node:http2'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { type TestContext, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { type Clock, systemClock } from '../../../services/wire/clock.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { createVirtualClock } from '../../core/clock.ts'
import { type EventStream, createEventStream } from '../../core/events.ts'
import {
  accessOf,
  createDeferred,
  createTarget,
  createTargetOf,
  exchangeRaw,
  forwardTo,
  healthCheck,
  register,
  startNetworkTarget,
} from '../../tests/test-balancer.ts'
import { type LoadBalancer, startLoadBalancer } from '../load-balancer.ts'
import type { ConnectionObserver } from '../metrics/connection-counts.ts'
import type { Rule } from '../model.ts'
import { openAuthority } from './authority.ts'
import { openCertificates } from './certificates.ts'

type OnTestFinished = TestContext['onTestFinished']

interface Secured {
  readonly balancer: LoadBalancer
  readonly port: number
  readonly ca: string
  readonly events: EventStream
}

const upgradeRule: Rule = {
  priority: 1,
  conditions: [{ field: 'http-header', name: 'Upgrade', values: ['websocket'] }],
  action: forwardTo('sockets'),
}

/** One HTTPS listener in front of the groups `web` and `sockets`. */
async function startHttps(
  onTestFinished: OnTestFinished,
  { clock = systemClock, observer }: { clock?: Clock; observer?: ConnectionObserver } = {},
): Promise<Secured> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-https-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const about = { hosts: ['api.localhost'], region: 'us-west-2', accountId: '000000000000' }
  const tls = await openCertificates({ folder, clock: systemClock, ...about })
  const events = createEventStream()
  const balancer = await startLoadBalancer(
    {
      name: 'test',
      zones: ['a'],
      listeners: [{ host: '127.0.0.1', port: 0, rules: [upgradeRule], defaultAction: forwardTo('web'), tls }],
      targetGroups: ['web', 'sockets'].map((name) => ({ name, healthCheck })),
    },
    { clock, ids: systemIds, events, ...(observer && { observer }) },
  )
  onTestFinished(() => balancer.stop())
  const { cert } = await openAuthority(folder, systemClock)
  return { balancer, port: balancer.listeners[0]?.port ?? 0, ca: cert, events }
}

async function ask(
  { port, ca }: Secured,
  path: string,
  { body, headers = {} }: { body?: string; headers?: Record<string, string> } = {},
) {
  const session = connectHttp2(`https://api.localhost:${port}`, { ca, host: '127.0.0.1', servername: 'api.localhost' })
  try {
    const stream = session.request({ ':method': body === undefined ? 'GET' : 'POST', ':path': path, ...headers })
    stream.end(body)
    const [answer] = (await once(stream, 'response')) as [Record<string, unknown>]
    return { answer, text: await text(stream) }
  } finally {
    session.close()
  }
}

const createEcho = (): Server =>
  createServer((request, response) => {
    if (request.url === '/health') return void response.end('ok')
    void text(request).then((body) => response.end(JSON.stringify({ headers: request.headers, body })))
  })

test('a request of HTTP/2 reaches targets of both kinds as HTTP/1.1 over https and is logged as h2', async ({
  expect,
  onTestFinished,
}) => {
  const secured = await startHttps(onTestFinished)
  await register(secured.balancer, 'web', [
    createTargetOf('in-process', createEcho()),
    await startNetworkTarget('network', createEcho(), onTestFinished),
  ])
  for (const path of ['/one', '/two']) {
    const { answer, text: body } = await ask(secured, path, { body: 'sent', headers: { 'user-agent': 'tester' } })
    expect(answer).toMatchObject({ ':status': 200 })
    expect(JSON.parse(body)).toMatchObject({
      headers: {
        host: `api.localhost:${secured.port}`,
        'x-forwarded-proto': 'https',
        'x-forwarded-port': String(secured.port),
        'x-forwarded-for': '127.0.0.1',
      },
      body: 'sent',
    })
  }
  const records = [await accessOf(secured.events, '/one'), await accessOf(secured.events, '/two')]
  expect(new Set(records.map(({ target }) => target))).toEqual(new Set(['in-process', 'network']))
  for (const record of records) {
    expect(record).toMatchObject({
      kind: 'h2',
      httpVersion: '2.0',
      status: 200,
      targetStatus: 200,
      userAgent: 'tester',
      tls: { protocol: 'TLSv1.3', serverName: 'api.localhost', isReused: false },
    })
    expect(record.tls?.certificateArn).toMatch(/^arn:aws:acm:/)
    expect(record.receivedBytes).toBeGreaterThan('sent'.length)
    expect(record.sentBytes).toBeGreaterThan(100)
  }
})

test('without a target a client of HTTP/2 gets the page of HTTP/1.1 without its connection', async ({
  expect,
  onTestFinished,
}) => {
  const secured = await startHttps(onTestFinished)
  const { answer, text: page } = await ask(secured, '/')
  expect(answer).toMatchObject({
    ':status': 503,
    server: 'awselb/2.0',
    'content-type': 'text/html',
    'content-length': '162',
  })
  expect(answer).not.toHaveProperty('connection')
  expect(page).toHaveLength(162)
})

test('a WebSocket goes over TLS and is logged as wss, with http in its request', async ({ expect, onTestFinished }) => {
  const secured = await startHttps(onTestFinished)
  const server = createServer((_, response) => response.end('ok'))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) =>
    socket.on('message', (message: Buffer) => socket.send(`echo ${message.toString()}`)),
  )
  await register(secured.balancer, 'sockets', [createTargetOf('sockets', server)])

  const { port, ca } = secured
  const client = new WebSocket(`wss://localhost:${port}/live`, { ca })
  await once(client, 'open')
  client.send('hello')
  expect(String(((await once(client, 'message')) as [Buffer])[0])).toBe('echo hello')
  client.close()
  expect(await accessOf(secured.events, '/live')).toMatchObject({
    kind: 'wss',
    status: 101,
    tls: { protocol: 'TLSv1.3' },
  })
})

test('HTTP/1.1 over TLS keeps its connection, and what is malformed is refused as without TLS', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, ca } = await startHttps(onTestFinished)
  await register(balancer, 'web', [createTarget('one', (request, response) => response.end(request.url))])
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'api.localhost', ca })
  onTestFinished(() => void socket.destroy())
  socket.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n')
  const received = await text(socket)
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400'])
  expect(received).toContain('Connection: close')
})

test('HTTP without TLS gets the page for it', async ({ expect, onTestFinished }) => {
  const { port, events } = await startHttps(onTestFinished)
  const received = await exchangeRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', onTestFinished)
  const [head = '', page = ''] = received.split('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nServer: awselb\/2\.0\r\n/)
  expect(page).toHaveLength(220)
  expect(page).toContain('<title>400 The plain HTTP request was sent to HTTPS port</title>')
  expect(await accessOf(events, '-')).toMatchObject({ status: 400, tls: undefined })
})

test('stopping tells clients of HTTP/2, lets what is underway end and frees the port', async ({
  expect,
  onTestFinished,
}) => {
  const secured = await startHttps(onTestFinished)
  await register(secured.balancer, 'web', [createTarget('slow', (_, response) => void response.write('be'))])
  const session = connectHttp2(`https://localhost:${secured.port}`, { ca: secured.ca })
  session.on('error', () => undefined)
  const stream = session.request({ ':path': '/slow' })
  stream.on('error', () => undefined)
  await once(stream, 'response')
  stream.resume()
  const told = once(session, 'goaway')
  const closed = once(stream, 'close')
  await secured.balancer.stop()
  await Promise.all([told, closed])
  expect(await accessOf(secured.events, '/slow')).toMatchObject({ kind: 'h2', status: 200 })
})

test('a target that is silent for the idle timeout is a 504 over HTTP/2 too; a client that leaves is a 460', async ({
  expect,
  onTestFinished,
}) => {
  const clock = createVirtualClock(Date.now())
  const secured = await startHttps(onTestFinished, { clock })
  const arrived = [createDeferred<void>(), createDeferred<void>()]
  const left = createDeferred<boolean>()
  await register(secured.balancer, 'web', [
    createTarget('silent', (request, response) => {
      if (request.url === '/left') response.on('close', () => left.resolve(response.writableEnded))
      arrived[request.url === '/left' ? 1 : 0]?.resolve()
    }),
  ])
  const silent = ask(secured, '/silent')
  await arrived[0]?.promise
  await clock.advance(60_000)
  expect((await silent).answer).toMatchObject({ ':status': 504, 'content-length': '132' })
  expect(await accessOf(secured.events, '/silent')).toMatchObject({ status: 504, failure: 'target-timeout' })

  const session = connectHttp2(`https://localhost:${secured.port}`, { ca: secured.ca })
  onTestFinished(() => session.destroy())
  const stream = session.request({ ':path': '/left' })
  await arrived[1]?.promise
  stream.close(constants.NGHTTP2_CANCEL)
  expect(await left.promise).toBe(false)
  expect(await accessOf(secured.events, '/left')).toMatchObject({
    status: 460,
    target: 'silent',
    targetStatus: undefined,
  })
})

test('connections are counted once, whatever runs over them, and handshakes that fail are', async ({
  expect,
  onTestFinished,
}) => {
  const seen: string[] = []
  const closed = createDeferred<void>()
  const observer: ConnectionObserver = {
    opened: (node) => seen.push(`opened ${node}`),
    closed(node) {
      seen.push(`closed ${node}`)
      closed.resolve()
    },
    handshakeFailed: () => seen.push('failed'),
  }
  const { port, ca } = await startHttps(onTestFinished, { observer })
  const old = connectTls({
    port,
    host: '127.0.0.1',
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ciphers: 'ALL:@SECLEVEL=0',
  })
  await once(old, 'error')
  const session = connectHttp2(`https://localhost:${port}`, { ca })
  for (const path of ['/1', '/2', '/3']) await once(session.request({ ':path': path }).resume(), 'close')
  expect(session.remoteSettings.maxConcurrentStreams).toBe(128)
  session.close()
  await closed.promise
  expect(seen).toEqual(['failed', 'opened 0', 'closed 0'])
})
