import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type RequestListener, ServerResponse, createServer } from 'node:http'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
  connect as connectHttp2,
  constants,
} from 'node:http2'
import { type AddressInfo, type Socket, connect as connectTcp } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { type TestContext, test } from 'vitest'
import { Agent, request as requestWith } from '../../../services/wire/undici.ts'
import { systemClock } from '../../../services/wire/clock.ts'
import { createVirtualClock } from '../../core/clock.ts'
import { createDeferred } from '../../tests/test-balancer.ts'
import type { TlsFacts } from '../connection.ts'
import { openAuthority } from './authority.ts'
import { openCertificates } from './certificates.ts'
import { createTlsListener } from './tls-listener.ts'

type OnTestFinished = TestContext['onTestFinished']

async function startTls(onTestFinished: OnTestFinished, onRequest: RequestListener, { hasHttp2 = true } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-tls-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const certificates = await openCertificates({
    folder,
    hosts: ['api.localhost'],
    region: 'us-west-2',
    accountId: '000000000000',
    // What clients compare with their own time.
    clock: systemClock,
  })
  const clock = createVirtualClock(0)
  const connections: { readonly kind: string; readonly tls: TlsFacts; readonly socket: Socket }[] = []
  const plain: string[] = []
  const http = createServer(onRequest)
  const listener = await createTlsListener(certificates, {
    http,
    clock,
    hasHttp2,
    idleMs: 60_000,
    keepAliveMs: 3_600_000,
    createResponse: (request) => new ServerResponse(request),
    onHttp1: (socket, tls) => void connections.push({ kind: 'https', tls, socket }),
    onHttp2: (_socket, tls) => (socket) => void connections.push({ kind: 'h2', tls, socket }),
    onPlain: (socket) => socket.on('data', (chunk) => plain.push(String(chunk))),
    onFailure: () => undefined,
  })
  listener.server.listen(0, '127.0.0.1')
  await once(listener.server, 'listening')
  onTestFinished(() => {
    listener.stop()
    http.close()
    http.closeAllConnections()
    listener.server.close()
  })
  const { port } = listener.server.address() as AddressInfo
  const ca = join(folder, 'ca', 'ca.pem')
  const { cert } = await openAuthority(folder, systemClock)
  return { port, ca, cert, clock, connections, plain, listener }
}

function openHttp2(port: number, cert: string, onTestFinished: OnTestFinished): ClientHttp2Session {
  const session = connectHttp2(`https://localhost:${port}`, { ca: cert })
  onTestFinished(() => session.destroy())
  return session
}

async function answerOf(stream: ClientHttp2Stream) {
  const [headers] = (await once(stream, 'response')) as [Record<string, string>]
  return { headers, body: await buffer(stream) }
}

const ask = (session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string | Buffer) => {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

const echo: RequestListener = (request, response) => {
  const { method, url, httpVersion, headers, rawHeaders } = request
  void text(request).then((body) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ method, url, httpVersion, headers, rawHeaders, body }))
  })
}

test('a client that trusts the authority is answered over HTTP/1.1, and what was agreed on is known', async ({
  expect,
  onTestFinished,
}) => {
  const { port, cert, connections } = await startTls(onTestFinished, echo)
  const agent = new Agent({ connect: { ca: cert }, allowH2: false })
  onTestFinished(() => agent.close())
  const { statusCode, body } = await requestWith(`https://localhost:${port}/p?q=1`, {
    method: 'POST',
    body: 'sent',
    dispatcher: agent,
  })
  expect(statusCode).toBe(200)
  expect(await body.json()).toMatchObject({ method: 'POST', url: '/p?q=1', httpVersion: '1.1', body: 'sent' })
  expect(connections).toMatchObject([
    {
      kind: 'https',
      tls: { cipher: 'TLS_AES_256_GCM_SHA384', protocol: 'TLSv1.3', serverName: 'localhost', isReused: false },
    },
  ])
})

test('each server name gets its own certificate, and none the default one', async ({ expect, onTestFinished }) => {
  const { port, cert } = await startTls(onTestFinished, echo)
  const nameOf = async (servername: string): Promise<string | undefined> => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: cert, servername, checkServerIdentity: () => undefined })
    await once(socket, 'secureConnect')
    const { subjectaltname } = socket.getPeerCertificate()
    expect(socket.authorized).toBe(true)
    socket.destroy()
    return subjectaltname
  }
  expect(await nameOf('api.localhost')).toBe('DNS:api.localhost')
  expect(await nameOf('else.where')).toContain('DNS:localhost')
  expect(await nameOf('')).toContain('DNS:localhost')
})

test('a later handshake may go on with an earlier session', async ({ expect, onTestFinished }) => {
  const { port, cert, connections } = await startTls(onTestFinished, (_, response) => response.end('ok'))
  const open = async (session?: Buffer): Promise<{ ticket: Buffer }> => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'api.localhost', ca: cert, session })
    onTestFinished(() => void socket.destroy())
    const kept = session === undefined ? (once(socket, 'session') as Promise<[Buffer]>) : [session]
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(socket, 'data')
    const [ticket] = await kept
    return { ticket: ticket ?? Buffer.alloc(0) }
  }
  const { ticket } = await open()
  await open(ticket)
  expect(connections.map(({ tls }) => tls.isReused)).toEqual([false, true])
})

test('HTTP/2 becomes HTTP/1.1: one Host, one Cookie, no pseudo-headers, a body with its framing', async ({
  expect,
  onTestFinished,
}) => {
  const { port, cert, connections } = await startTls(onTestFinished, echo)
  const session = openHttp2(port, cert, onTestFinished)
  const { headers, body } = await ask(
    session,
    { ':method': 'POST', ':path': '/v1/listen?x=1', 'x-one': 'a', cookie: ['c=1', 'd=2'] },
    'sent in one go',
  )
  expect(headers[':status']).toBe(200)
  expect(headers['content-type']).toBe('application/json')
  expect(headers).not.toHaveProperty('connection')
  expect(headers).not.toHaveProperty('transfer-encoding')
  const seen = JSON.parse(body.toString()) as { rawHeaders: string[] }
  expect(seen).toMatchObject({
    method: 'POST',
    url: '/v1/listen?x=1',
    httpVersion: '1.1',
    headers: { host: `localhost:${port}`, cookie: 'c=1; d=2', 'x-one': 'a', 'transfer-encoding': 'chunked' },
    body: 'sent in one go',
  })
  expect(seen.rawHeaders.filter((name) => name.startsWith(':'))).toEqual([])
  expect(seen.rawHeaders.filter((name) => name === 'cookie')).toHaveLength(1)
  expect(connections).toMatchObject([{ kind: 'h2', socket: { remoteAddress: '127.0.0.1' } }])
})

test('many requests share a connection of HTTP/2, large bodies go both ways at the pace of their readers', async ({
  expect,
  onTestFinished,
}) => {
  const { port, cert } = await startTls(onTestFinished, (request, response) => request.pipe(response))
  const session = openHttp2(port, cert, onTestFinished)
  const sent = Buffer.alloc(200_000, 'abcdefg')
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => ask(session, { ':method': 'POST', ':path': '/' }, sent)),
  )
  expect(answers.every(({ body }) => body.equals(sent))).toBe(true)
})

test('answers without a body, and those that announce others, are as HTTP/2 has them', async ({
  expect,
  onTestFinished,
}) => {
  const { port, cert } = await startTls(onTestFinished, (request, response) => {
    if (request.url === '/hints') response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    if (request.url === '/none') response.writeHead(204).end()
    else response.writeHead(200, 'Fine', { 'content-length': 5, 'set-cookie': ['a=1', 'b=2'] }).end('hello')
  })
  const session = openHttp2(port, cert, onTestFinished)
  const head = await ask(session, { ':method': 'HEAD', ':path': '/' })
  expect(head.headers).toMatchObject({ ':status': 200, 'content-length': '5', 'set-cookie': ['a=1', 'b=2'] })
  expect(head.body).toHaveLength(0)
  expect((await ask(session, { ':path': '/none' })).headers[':status']).toBe(204)

  const hinted = session.request({ ':path': '/hints' })
  const [early] = (await once(hinted, 'headers')) as [Record<string, unknown>]
  expect(early).toMatchObject({ ':status': 103, link: '</a.css>; rel=preload' })
  expect((await answerOf(hinted)).body.toString()).toBe('hello')
})

test('a client that takes back its request is gone for the program, and one that answers early reads no more', async ({
  expect,
  onTestFinished,
}) => {
  const left = createDeferred<boolean>()
  const arrived = createDeferred<void>()
  const { port, cert } = await startTls(onTestFinished, (request, response) => {
    if (request.url === '/early') return void response.writeHead(413).end('too large')
    response.once('close', () => left.resolve(response.writableFinished))
    arrived.resolve()
    request.resume()
  })
  const session = openHttp2(port, cert, onTestFinished)
  const early = session.request({ ':method': 'POST', ':path': '/early' }, { endStream: false })
  const { headers, body } = await answerOf(early)
  expect([headers[':status'], body.toString()]).toEqual([413, 'too large'])
  early.close()

  const waiting = session.request({ ':path': '/waiting' })
  await arrived.promise
  waiting.close(constants.NGHTTP2_CANCEL)
  expect(await left.promise).toBe(false)
})

test('a path that no request line can hold is refused', async ({ expect, onTestFinished }) => {
  const { port, cert } = await startTls(onTestFinished, echo)
  const session = openHttp2(port, cert, onTestFinished)
  const stream = session.request({ ':path': '/a HTTP/1.1\\r\\nx: y' })
  const [error] = (await once(stream, 'error')) as [Error]
  expect(error.message).toContain('NGHTTP2_PROTOCOL_ERROR')
})

test('an idle connection of HTTP/2 is closed, a busy one is not, an old one takes one more request', async ({
  expect,
  onTestFinished,
}) => {
  const { port, cert, clock } = await startTls(onTestFinished, (_, response) => response.end('ok'))
  const idle = openHttp2(port, cert, onTestFinished)
  await ask(idle, { ':path': '/' })
  const closed = once(idle, 'close')
  await clock.advance(59_000)
  await ask(idle, { ':path': '/' })
  await clock.advance(59_000)
  expect(idle.closed).toBe(false)
  await clock.advance(1_001)
  await closed

  const old = openHttp2(port, cert, onTestFinished)
  for (let seconds = 0; seconds < 3_600; seconds += 50) {
    await ask(old, { ':path': '/' })
    await clock.advance(50_000)
  }
  const goaway = once(old, 'goaway')
  expect((await ask(old, { ':path': '/' })).body.toString()).toBe('ok')
  await goaway
})

test('what is no TLS is handed on as it came, and HTTP/2 is offered only where it is on', async ({
  expect,
  onTestFinished,
}) => {
  const { port, cert, plain } = await startTls(onTestFinished, echo, { hasHttp2: false })
  const socket = connectTcp(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write('GET /plain HTTP/1.1\r\nHost: a\r\n\r\n')
  const secure = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: cert,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  onTestFinished(() => void secure.destroy())
  await once(secure, 'secureConnect')
  expect(secure.alpnProtocol).toBe('http/1.1')
  expect(plain.join('')).toBe('GET /plain HTTP/1.1\r\nHost: a\r\n\r\n')
})

test('curl takes the authority from its file, over both versions', async ({ expect, onTestFinished, skip }) => {
  const run = promisify(execFile)
  const version = await run('curl', ['--version']).catch(() => undefined)
  if (!version?.stdout.includes('HTTP2')) skip('no curl with HTTP/2 here')
  const { port, ca } = await startTls(onTestFinished, echo)
  const versionOf = async (flag: string): Promise<string> => {
    const args = ['-sS', flag, '--cacert', ca, '-w', '%{http_version}', '-o', '/dev/null', `https://localhost:${port}/`]
    return (await run('curl', args)).stdout
  }
  expect([await versionOf('--http1.1'), await versionOf('--http2')]).toEqual(['1.1', '2'])
})
