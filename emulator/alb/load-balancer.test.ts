import { once } from 'node:events'
import { Agent, type ServerResponse, request } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { test } from 'vitest'
import { systemIds } from '../../services/wire/ids.ts'
import { createVirtualClock } from '../core/clock.ts'
import { createEventStream } from '../core/events.ts'
import {
  START_MS,
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
import { startLoadBalancer } from './load-balancer.ts'
import type { Rule } from './model.ts'

interface Answer {
  readonly status: number | undefined
  readonly body: string
  /** Of the client's end of the connection. */
  readonly localPort: number | undefined
}

interface GetOptions {
  readonly host?: string
  readonly method?: string
  readonly agent?: Agent
}

function get(port: number, path: string, options: GetOptions = {}): Promise<Answer> {
  const { host = 'a', method = 'GET', agent } = options
  return new Promise<Answer>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { host }, agent }, (response) => {
      const { statusCode: status, socket } = response
      const { localPort } = socket
      text(response).then((body) => resolve({ status, body, localPort }), reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('each kind of rule sends its requests to its own target group', async ({ expect, onTestFinished }) => {
  const rules: readonly Rule[] = [
    { priority: 10, conditions: [{ field: 'host-header', values: ['backend.*'] }], action: forwardTo('host') },
    { priority: 20, conditions: [{ field: 'path-pattern', values: ['/v1/*'] }], action: forwardTo('path') },
    { priority: 30, conditions: [{ field: 'http-request-method', values: ['PUT'] }], action: forwardTo('method') },
    { priority: 40, conditions: [{ field: 'http-header', name: 'x-kind', values: ['odd'] }], action: forwardTo('web') },
  ]
  const names = ['web', 'host', 'path', 'method']
  const { balancer, port, events } = await startTestBalancer({
    onTestFinished,
    rules,
    targetGroups: names.map((name) => ({ name, healthCheck })),
  })
  for (const name of names) await register(balancer, name, [createTarget(name, (_, response) => response.end(name))])

  expect((await get(port, '/v1/x', { host: 'Backend.localhost:8080' })).body).toBe('host')
  expect((await get(port, '/v1/x?y=/v2')).body).toBe('path')
  expect((await get(port, '/x', { method: 'PUT' })).body).toBe('method')
  expect((await get(port, '/other')).body).toBe('web')
  expect(await accessOf(events, '/v1/x')).toMatchObject({
    kind: 'http',
    method: 'GET',
    host: 'backend.localhost',
    rule: 10,
    targetGroup: 'host',
    target: 'host',
    status: 200,
  })
})

test('the requests of one connection go to the tasks in turn', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const targets = ['one', 'two'].map((id) => createTarget(id, (_, response) => response.end(id)))
  await register(balancer, 'web', targets)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())

  const seen: string[] = []
  const ports = new Set<number | undefined>()
  for (let count = 0; count < 4; count += 1) {
    const { body, localPort } = await get(port, '/', { agent })
    seen.push(body)
    ports.add(localPort)
  }

  expect(seen).toEqual(['one', 'two', 'one', 'two'])
  expect(ports.size).toBe(1)
})

test('every node has a rotation of its own, and connections go to the nodes in turn', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished, zones: ['a', 'b'] })
  await register(
    balancer,
    'web',
    ['one', 'two'].map((id) => createTarget(id, (_, response) => response.end(id))),
  )

  const seen: string[] = []
  for (let count = 0; count < 6; count += 1) seen.push((await get(port, '/', { agent: new Agent() })).body)

  expect(seen).toEqual(['one', 'two', 'two', 'one', 'one', 'two'])
})

test('pipelined requests are answered in their order', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const waiting: (() => void)[] = []
  const target = createTarget('one', (incoming, response) => {
    const answer = (): void => void response.end(incoming.url)
    if (incoming.url === '/slow') waiting.push(answer)
    else {
      answer()
      for (const each of waiting) each()
    }
  })
  await register(balancer, 'web', [target])

  const received = await exchangeRaw(
    port,
    'GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    onTestFinished,
  )

  expect(received.indexOf('/slow')).toBeGreaterThan(0)
  expect(received.indexOf('/fast')).toBeGreaterThan(received.indexOf('/slow'))
})

test('bodies of any framing stream both ways through a Fastify target', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const app = Fastify({ bodyLimit: 4 * 1024 * 1024 })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  app.get('/health', () => 'ok')
  app.post<{ Body: Buffer }>('/size', ({ body }) => ({ bytes: body.length }))
  await app.ready()
  onTestFinished(() => app.close())
  await register(balancer, 'web', [createTargetOf('one', app.server)])
  const body = Buffer.alloc(3_000_000, 1)

  const url = `http://127.0.0.1:${port}/size`
  const whole = await fetch(url, { method: 'POST', body })
  const chunked = await fetch(url, { method: 'POST', body: new Blob([body]).stream(), duplex: 'half' })

  expect([await whole.json(), await chunked.json()]).toEqual([{ bytes: 3_000_000 }, { bytes: 3_000_000 }])
  expect(await accessOf(events, '/size')).toMatchObject({ status: 200, method: 'POST' })
  const [first] = events.of('alb.access')
  expect(first?.access.receivedBytes).toBeGreaterThan(3_000_000)
  expect(first?.access.receivedBytes).toBeLessThan(3_001_000)
})

test('bytes are counted to the byte, heads included', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  await register(balancer, 'web', [createTarget('one', (_, response) => response.end('hello'))])
  const sent = 'GET /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

  const received = await exchangeRaw(port, sent, onTestFinished)

  const { receivedBytes, sentBytes, client } = await accessOf(events, '/count')
  expect({ receivedBytes, sentBytes }).toEqual({ receivedBytes: sent.length, sentBytes: received.length })
  expect(client).toMatch(/^127\.0\.0\.1:\d+$/)
})

test.for([
  ['before the answer', '', 460],
  ['in the middle of its body', 'Content-Length: 10\r\n', 400],
] as const)(
  'a client that leaves %s is seen by the target, and logged',
  async ([, header, status], { expect, onTestFinished }) => {
    const { balancer, port, events } = await startTestBalancer({ onTestFinished })
    const begun = createDeferred<ServerResponse>()
    await register(balancer, 'web', [createTarget('one', (_, response) => begun.resolve(response))])
    const socket = await openSocket(port, onTestFinished)
    socket.write(`POST /left HTTP/1.1\r\nHost: a\r\n${header}\r\n`)
    const response = await begun.promise
    const left = Promise.all([new Promise((resolve) => response.req.once('close', resolve)), once(response, 'close')])

    socket.destroy()
    await left

    expect(await accessOf(events, '/left')).toMatchObject({ status, target: 'one' })
  },
)

test('a killed target breaks what it has in flight: 502 before the answer, half an answer after its head', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const both = createDeferred<void>()
  let begun = 0
  const target = createTarget('one', (incoming, response) => {
    if (incoming.url === '/half') response.write('half')
    begun += 1
    if (begun === 2) both.resolve(undefined)
    // A program does not know that it is dead.
    target.gone.addEventListener('abort', () => setImmediate(() => response.write('too late')))
  })
  await register(balancer, 'web', [target])
  const one = exchangeRaw(port, 'GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', onTestFinished)
  const other = exchangeRaw(port, 'GET /half HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', onTestFinished)
  await both.promise

  target.kill()

  expect(await one).toContain('<h1>502 Bad Gateway</h1>')
  expect(await other).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*half\r\n$/)
  expect((await get(port, '/after')).status).toBe(502)
})

test('stop lets answers end, cuts what does not, frees the port and may be called twice', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const begun = createDeferred<() => void>()
  const target = createTarget('one', (incoming, response) => {
    if (incoming.url === '/soon') begun.resolve(() => void response.end('done'))
  })
  await register(balancer, 'web', [target])
  const idle = await openSocket(port, onTestFinished)
  const hanging = await openSocket(port, onTestFinished)
  hanging.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n')
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const soon = get(port, '/soon', { agent })
  const finish = await begun.promise

  const closed = Promise.all([once(idle, 'close'), once(hanging, 'close')])
  const stopped = Promise.all([balancer.stop(), balancer.stop()])
  finish()

  expect((await soon).body).toBe('done')
  await stopped
  await closed
  const late = connect(port, '127.0.0.1')
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

test('drain ends when the last answer has', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const begun = createDeferred<() => void>()
  const target = createTarget('one', (_, response) => begun.resolve(() => void response.end('done')))
  await register(balancer, 'web', [target])
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const answered = get(port, '/', { agent })
  const finish = await begun.promise

  let isDrained = false
  const drained = balancer.drain().then(() => (isDrained = true))
  const wasDrained = isDrained
  finish()

  expect((await answered).body).toBe('done')
  await drained
  expect(wasDrained).toBe(false)
})

test('a taken port is the system’s own error, and no other listener is left behind', async ({
  expect,
  onTestFinished,
}) => {
  const holder = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void holder.close())
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const listener = { host: '127.0.0.1', rules: [], defaultAction: forwardTo('web') }
  const clock = createVirtualClock(START_MS)
  const freePort = await findFreePort()

  const started = startLoadBalancer(
    {
      name: 'test',
      zones: ['a'],
      listeners: [
        { ...listener, port: freePort },
        { ...listener, port },
      ],
      targetGroups: [{ name: 'web', healthCheck }],
    },
    { clock, ids: systemIds, events: createEventStream(clock) },
  )

  await expect(started).rejects.toMatchObject({ code: 'EADDRINUSE', port })
  const again = createServer().listen(freePort, '127.0.0.1')
  onTestFinished(() => void again.close())
  await once(again, 'listening')
})

// Elsewhere the loopback interface has no second address.
test.runIf(process.platform === 'linux')('only the given address is bound', async ({ expect, onTestFinished }) => {
  const { port } = await startTestBalancer({ onTestFinished })

  const elsewhere = connect(port, '127.0.0.2')

  const [error] = (await once(elsewhere, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

test('an offer of HTTP/2 is ignored and the request with its body answered', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const target = createTarget('one', (incoming, response) => {
    void text(incoming).then((body) => response.end(`${JSON.stringify(incoming.headers['upgrade'])} ${body}`))
  })
  await register(balancer, 'web', [target])
  const socket = await openSocket(port, onTestFinished)
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'

  socket.write(`POST /h2c HTTP/1.1\r\nHost: a\r\n${offer}Content-Length: 10\r\n\r\n12345`)
  await new Promise(setImmediate)
  socket.write('67890')

  expect(await readUntil(socket, '67890')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*undefined 1234567890$/)
  socket.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(await readUntil(socket, 'undefined ')).toContain('200 OK')
  expect(await accessOf(events, '/next')).toMatchObject({ kind: 'http', status: 200 })
})

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
