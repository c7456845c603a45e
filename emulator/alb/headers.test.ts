import { test } from 'vitest'
import { createDeferred, createTarget, exchangeRaw, register, startTestBalancer } from '../tests/test-balancer.ts'

interface Seen {
  readonly headers: Record<string, unknown>
  readonly raw: readonly string[]
}

type OnTestFinished = (cleanUp: () => void | Promise<void>) => void

/** What a target sees of a request with these header lines; `PORT` stands for the listener's. */
async function forward(lines: readonly string[], onTestFinished: OnTestFinished): Promise<Seen & { port: number }> {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const seen = createDeferred<Seen>()
  const target = createTarget('one', (request, response) => {
    seen.resolve({ headers: { ...request.headers }, raw: [...request.rawHeaders] })
    response.end()
  })
  await register(balancer, 'web', [target])
  const text = ['GET / HTTP/1.1', ...lines, '', ''].join('\r\n').replaceAll('PORT', String(port))
  await exchangeRaw(port, text, onTestFinished)
  return { ...(await seen.promise), port }
}

test('a plain request gets the balancer’s headers, raw and parsed alike', async ({ expect, onTestFinished }) => {
  const lines = ['Host: api.localhost:PORT', 'Connection: close', 'X-Own: Kept']

  const { headers, raw, port } = await forward(lines, onTestFinished)

  const traceId = headers['x-amzn-trace-id']
  expect(traceId).toMatch(/^Root=1-67748580-[0-9a-f]{24}$/)
  expect(raw).toEqual(
    [
      ['Host', `api.localhost:${port}`],
      ['X-Own', 'Kept'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Proto', 'http'],
      ['X-Forwarded-Port', String(port)],
      ['X-Amzn-Trace-Id', traceId],
    ].flat(),
  )
  expect(headers).toEqual({
    host: `api.localhost:${port}`,
    'x-own': 'Kept',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(port),
    'x-amzn-trace-id': traceId,
  })
})

test('forwarding headers of an earlier proxy are continued or replaced', async ({ expect, onTestFinished }) => {
  const { headers, raw, port } = await forward(
    [
      'Host: a:PORT',
      'Connection: close',
      'x-forwarded-for: 192.0.2.1',
      'X-Forwarded-For: 198.51.100.7',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Host: kept.example.com',
      'X-Amzn-Trace-Id: Root=1-67748000-0123456789abcdef01234567;CalledFrom=app',
    ],
    onTestFinished,
  )

  expect(headers).toMatchObject({
    'x-forwarded-for': '192.0.2.1, 198.51.100.7, 127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(port),
    'x-forwarded-host': 'kept.example.com',
  })
  expect(headers['x-amzn-trace-id']).toMatch(
    /^Self=1-67748580-[0-9a-f]{24};Root=1-67748000-0123456789abcdef01234567;CalledFrom=app$/,
  )
  const names = raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  expect(names.toSorted()).toEqual([
    'host',
    'x-amzn-trace-id',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-port',
    'x-forwarded-proto',
  ])
})

test.for([
  ['API.Localhost:PORT', 'api.localhost:PORT'],
  ['api.localhost', 'api.localhost:PORT'],
  ['api.localhost:80', 'api.localhost'],
  ['api.localhost:9', 'api.localhost:9'],
  ['[::1]', '[::1]:PORT'],
  ['[::1]:9', '[::1]:9'],
] as const)('the host %s becomes %s', async ([sent, expected], { expect, onTestFinished }) => {
  const { headers, port } = await forward([`Host: ${sent}`, 'Connection: close'], onTestFinished)

  expect(headers['host']).toBe(expected.replace('PORT', String(port)))
})

test('headers meant for the balancer end there', async ({ expect, onTestFinished }) => {
  const { headers } = await forward(
    [
      'Host: a',
      'Connection: close, X-Private',
      'X-Private: 1',
      'Keep-Alive: timeout=9',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Upgrade: irc',
      'X_Underscore: kept',
    ],
    onTestFinished,
  )

  expect(Object.keys(headers)).toEqual([
    'x_underscore',
    'host',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-port',
    'x-amzn-trace-id',
  ])
})

test('the balancer itself answers an expectation', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  await register(balancer, 'web', [
    createTarget('one', (request, response) => response.end(String(request.headers.expect))),
  ])
  const lines = ['POST / HTTP/1.1', 'Host: a', 'Connection: close', 'Expect: 100-continue', 'Content-Length: 0', '', '']

  const received = await exchangeRaw(port, lines.join('\r\n'), onTestFinished)

  expect(received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*undefined$/)
})

test('the target’s own headers pass unchanged, and nothing announces how long connections live', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const target = createTarget('one', (_, response) => {
    response.writeHead(
      200,
      'Fine',
      [
        ['Server', 'mine'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['Date', 'Thu, 02 Jan 2025 00:00:00 GMT'],
        ['Content-Length', '0'],
      ].flat(),
    )
    response.end()
  })
  await register(balancer, 'web', [target])
  const both = 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

  const received = await exchangeRaw(port, both, onTestFinished)

  const head = (connection: string): string =>
    [
      'HTTP/1.1 200 Fine',
      'Server: mine',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Date: Thu, 02 Jan 2025 00:00:00 GMT',
      'Content-Length: 0',
      `Connection: ${connection}`,
      '',
      '',
    ].join('\r\n')
  expect(received).toBe(head('keep-alive') + head('close'))
})
