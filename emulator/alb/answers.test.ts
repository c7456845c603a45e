import { createServer } from 'node:http'
import { test } from 'vitest'
import {
  accessOf,
  createTarget,
  createTargetOf,
  exchangeRaw,
  openSocket,
  readUntil,
  register,
  startTestBalancer,
} from '../tests/test-balancer.ts'

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const DATE = 'Date: Wed, 01 Jan 2025 00:00:00 GMT'

function page(title: string): string {
  return [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<center><h1>${title}</h1></center>`,
    '</body>',
    '</html>',
    '',
  ].join('\r\n')
}

function own(title: string, length: number, connection = 'close'): string {
  const head = [
    `HTTP/1.1 ${title}`,
    'Server: awselb/2.0',
    DATE,
    'Content-Type: text/html',
    `Content-Length: ${length}`,
    `Connection: ${connection}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${page(title)}`
}

test('no registered target is a 503, to the byte', async ({ expect, onTestFinished }) => {
  const { port, events } = await startTestBalancer({ onTestFinished })

  expect(await exchangeRaw(port, GET, onTestFinished)).toBe(own('503 Service Temporarily Unavailable', 162))

  const { status, targetGroup, target, rule } = await accessOf(events, '/x')
  expect({ status, targetGroup, target, rule }).toEqual({
    status: 503,
    targetGroup: 'web',
    target: undefined,
    rule: 'default',
  })
})

test('a 502 on a connection that stays open is 277 bytes long, as in the logs of the real one', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const target = createTarget('one', () => undefined)
  await register(balancer, 'web', [target])
  target.kill()
  const socket = await openSocket(port, onTestFinished)

  socket.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')

  expect(await readUntil(socket, '</html>\r\n')).toBe(own('502 Bad Gateway', 122, 'keep-alive'))
  expect(await accessOf(events, '/x')).toMatchObject({ status: 502, sentBytes: 277, target: 'one' })
})

test('browsers get padding after the page, and a request for the head gets the head alone', async ({
  expect,
  onTestFinished,
}) => {
  const { port, events } = await startTestBalancer({ onTestFinished })
  const chrome = 'GET /chrome HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0 Chrome/126.0\r\nConnection: close\r\n\r\n'

  const padded = await exchangeRaw(port, chrome, onTestFinished)
  const head = await exchangeRaw(port, GET.replace('GET', 'HEAD'), onTestFinished)

  expect(padded).toContain('Content-Length: 564\r\n')
  expect(padded.slice(padded.indexOf('\r\n\r\n') + 4)).toHaveLength(564)
  expect(head).toMatch(/^HTTP\/1\.1 503 [^]*Content-Length: 162\r\nConnection: close\r\n\r\n$/)
  expect((await accessOf(events, '/chrome')).status).toBe(503)
})

test('a fixed response has its own type and body', async ({ expect, onTestFinished }) => {
  const { port } = await startTestBalancer({
    onTestFinished,
    defaultAction: { type: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: 'no such plaçe' },
  })

  expect(await exchangeRaw(port, GET, onTestFinished)).toBe(
    [
      'HTTP/1.1 404 Not Found',
      'Server: awselb/2.0',
      DATE,
      'Content-Type: text/plain; charset=utf-8',
      'Content-Length: 14',
      'Connection: close',
      '',
      Buffer.from('no such plaçe').toString('latin1'),
    ].join('\r\n'),
  )
})

test('TRACE is a 405 and leaves the connection open', async ({ expect, onTestFinished }) => {
  const { port } = await startTestBalancer({ onTestFinished })
  const socket = await openSocket(port, onTestFinished)

  socket.write('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n')

  expect(await readUntil(socket, '</html>\r\n')).toBe(own('405 Not Allowed', 122, 'keep-alive'))
  socket.write('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(await readUntil(socket, '</html>\r\n')).toContain('405 Not Allowed')
})

const long = (length: number): string => 'x'.repeat(length)

test.for([
  ['no HTTP', 'hello there\r\n\r\n', '400 Bad Request', 122],
  ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', '400 Bad Request', 122],
  ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', '400 Bad Request', 122],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    '400 Bad Request',
    122,
  ],
  ['a header over 16 KB', `${GET.slice(0, -4)}\r\nX: ${long(16_500)}\r\n\r\n`, '400 Bad Request', 122],
  ['headers over 64 KB', `${GET.slice(0, -4)}\r\n${`X: ${long(9_000)}\r\n`.repeat(8)}\r\n`, '400 Bad Request', 122],
  ['a URL over 16 KB', GET.replace('/x', `/${long(16_500)}`), '414 Request-URI Too Large', 142],
] as const)('%s is refused, to the byte', async ([, text, title, length], { expect, onTestFinished }) => {
  const { port, events } = await startTestBalancer({ onTestFinished })

  expect(await exchangeRaw(port, text, onTestFinished)).toBe(own(title, length))
  await expect.poll(() => events.of('alb.access').length).toBe(1)
  expect(events.of('alb.access')[0]?.access).toMatchObject({ status: Number(title.slice(0, 3)), rule: undefined })
})

test('hundreds of headers within the limit all arrive', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const target = createTarget('one', (request, response) => response.end(String(request.headers['x-2999'])))
  await register(balancer, 'web', [target])
  const lines = Array.from({ length: 3_000 }, (_, index) => `x-${index}: ${index}\r\n`).join('')

  const received = await exchangeRaw(port, `${GET.slice(0, -2)}${lines}\r\n`, onTestFinished)

  expect(received).toMatch(/\r\n\r\n2999$/)
})

test('a body that is no longer HTTP ends a request that its target has begun with a 400', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  await register(balancer, 'web', [createTarget('one', (request) => void request.resume())])

  const received = await exchangeRaw(
    port,
    'POST /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    onTestFinished,
  )

  expect(received).toBe(own('400 Bad Request', 122))
  expect((await accessOf(events, '/broken')).status).toBe(400)
})

test.for([
  [
    'throws',
    createServer((_request, response) => {
      response.setHeader('X-Half', 'done')
      throw new Error('broken')
    }),
  ],
  ['takes no requests', createServer()],
] as const)('a target that %s is a 502', async ([, server], { expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  balancer.targetGroup('web').register(createTargetOf('one', server))

  expect(await exchangeRaw(port, GET, onTestFinished)).toBe(own('502 Bad Gateway', 122))
})
