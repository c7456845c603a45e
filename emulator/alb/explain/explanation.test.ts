import { createServer, get } from 'node:http'
import { type TestContext, test } from 'vitest'
import {
  createTarget,
  createTargetOf,
  exchangeRaw,
  forwardTo,
  healthCheck,
  openSocket,
  readUntil,
  register,
  startNetworkTarget,
  startTestBalancer,
} from '../../tests/test-balancer.ts'
import type { Rule } from '../model.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

function headersOf(port: number, path: string, sent: Record<string, string> = {}): Promise<Headers> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'api.localhost', 'x-aldea-explain': '1', ...sent }
    get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.headers))
    }).on('error', reject)
  })
}

const rules: Rule[] = [
  {
    priority: 10,
    conditions: [{ field: 'host-header', values: ['admin.localhost'] }],
    action: forwardTo('backend'),
  },
  { priority: 20, conditions: [{ field: 'path-pattern', values: ['/v1/*'] }], action: forwardTo('web') },
  { priority: 30, conditions: [{ field: 'path-pattern', values: ['/backend'] }], action: forwardTo('backend') },
  {
    priority: 40,
    conditions: [{ field: 'path-pattern', values: ['/moved'] }],
    action: { type: 'redirect', statusCode: 302, path: '/v1/new' },
  },
]

const start = (onTestFinished: TestContext['onTestFinished']) =>
  startTestBalancer({
    onTestFinished,
    rules,

    targetGroups: ['web', 'backend'].map((name) => ({ name, healthCheck })),
  })

test('an answer says which rule matched and why others did not, the target, and what was added', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await start(onTestFinished)
  const network = await startNetworkTarget(
    'far',
    createServer((_, response) => response.end('ok')),
    onTestFinished,
  )
  await register(balancer, 'web', [
    createTarget('near', (_, response) => response.setHeader('x-own', '1').end('ok')),
    network,
  ])
  const answers = [
    await headersOf(port, '/v1/listen', { 'x-forwarded-for': '10.1.1.1', te: 'trailers' }),
    await headersOf(port, '/v1/listen'),
  ]
  const targets = answers.map((headers) => String(headers['x-aldea-target']).split(' ')[0])
  expect(new Set(targets)).toEqual(new Set(['near', 'far']))
  for (const headers of answers) {
    expect(headers).toMatchObject({
      'x-aldea-rule': '20',
      'x-aldea-rules':
        '10 failed: host-header admin.localhost does not hold for "api.localhost"; 20 matched: forward to web; ' +
        '30 not reached; 40 not reached; default not reached',
      'x-aldea-action': 'forward to web',
      'x-aldea-target-group': 'web',
      'x-aldea-answered-by': 'target',
    })
    expect(headers['x-aldea-routing']).toMatch(/^node a chooses by round_robin from (near, far|far, near)$/)
    expect(headers['x-aldea-headers']).toContain('+x-amzn-trace-id: Root=1-')
    expect(headers).not.toHaveProperty('x-aldea-why')
  }
  expect(answers[0]?.['x-aldea-headers']).toContain('~x-forwarded-for: 10.1.1.1, 127.0.0.1')
  expect(answers[0]?.['x-aldea-headers']).toContain('-te')
})

test('an answer of the balancer itself says why', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await start(onTestFinished)
  const broken = createServer((request, response) => {
    if (request.url === '/health') response.end('ok')
    else request.socket.destroy()
  })
  const gone = createTarget('gone', () => undefined)
  await register(balancer, 'web', [await startNetworkTarget('broken', broken, onTestFinished)])
  expect((await headersOf(port, '/v1/x'))['x-aldea-why']).toMatch(
    /^502: the target closed the connection .*\(target-closed\)$/,
  )

  const empty = await headersOf(port, '/backend')
  expect(empty['x-aldea-why']).toMatch(/^503: the target group has no target .*\(no-targets\)$/)
  expect(empty).toMatchObject({ 'x-aldea-answered-by': 'load balancer', 'x-aldea-rule': '30' })
  expect(empty).not.toHaveProperty('x-aldea-target')

  await register(balancer, 'backend', [gone])
  gone.kill()
  expect((await headersOf(port, '/backend'))['x-aldea-why']).toMatch(/^502: the target refused .*\(target-refused\)$/)
  expect((await headersOf(port, '/moved'))['x-aldea-action']).toBe('redirect with 302')
})

test('nothing is said to whoever did not ask', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await start(onTestFinished)
  await register(balancer, 'web', [createTarget('near', (_, response) => response.end('ok'))])
  const received = await exchangeRaw(
    port,
    'GET /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nx-aldea-explain: 0\r\n\r\n',
    onTestFinished,
  )
  expect(received).toContain('200 OK')
  expect(received).not.toContain('x-aldea')
})

test('a socket is explained in the answer to its handshake, and so is one that is not opened', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await start(onTestFinished)
  const server = createServer((_, response) => response.end('ok'))
  server.on('upgrade', (_request, socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'),
  )
  const target = createTargetOf('one', server)
  await register(balancer, 'web', [target])
  const handshake =
    'GET /v1/live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nx-aldea-explain: 1\r\n\r\n'
  const socket = await openSocket(port, onTestFinished)
  socket.write(handshake)
  const opened = await readUntil(socket, '\r\n\r\n')
  expect(opened).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\nx-aldea-rule: 20\r\n/)
  expect(opened).toContain('\r\nx-aldea-target: one in a\r\n')
  expect(opened).toContain('\r\nUpgrade: websocket\r\n')

  target.kill()
  const refused = await exchangeRaw(port, handshake, onTestFinished)
  expect(refused).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
  expect(refused).toMatch(/\r\nx-aldea-why: 502: the target refused the connection.*\r\n\r\n<html>/)
})
