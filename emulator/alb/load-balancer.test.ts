import { Agent } from 'node:http'
import Fastify from 'fastify'
import { test } from 'vitest'
import {
  accessOf,
  createDeferred,
  createTarget,
  createTargetOf,
  exchangeRaw,
  forwardTo,
  get,
  healthCheck,
  register,
  startTestBalancer,
} from '../tests/test-balancer.ts'
import type { Rule } from './model.ts'

test('each kind of rule sends its requests to its own target group', async ({ expect, onTestFinished }) => {
  const rules: readonly Rule[] = [
    {
      priority: 10,
      conditions: [{ field: 'host-header', values: ['backend.*.com', '*.localhost'] }],
      action: forwardTo('host'),
    },
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
