import { describe, test } from 'vitest'
import { exchangeRaw, createDeferred } from '../../tests/test-balancer.ts'
import type { LoadBalancerAttributes } from '../model.ts'
import { type OnTestFinished, TARGET_KINDS, type TargetKind, startBefore } from './testing.ts'

interface Seen {
  readonly lines: readonly string[]
  readonly headers: Record<string, unknown>
  readonly port: number
  readonly answer: string
}

interface Sending {
  readonly kind: TargetKind
  readonly attributes?: LoadBalancerAttributes
  readonly onTestFinished: OnTestFinished
  readonly version?: string
  readonly target?: string
}

/** What the target sees of a request with these header lines; `PORT` stands for the listener's. */
async function send(lines: readonly string[], sending: Sending): Promise<Seen> {
  const { kind, onTestFinished, attributes, version = 'HTTP/1.1', target = '/' } = sending
  const seen = createDeferred<Pick<Seen, 'lines' | 'headers'>>()
  const { port } = await startBefore(
    kind,
    ({ rawHeaders, headers }, response) => {
      const pairs = rawHeaders.flatMap((each, index) => (index % 2 === 0 ? [`${each}: ${rawHeaders[index + 1]}`] : []))
      seen.resolve({ lines: pairs, headers: { ...headers } })
      response.setHeader('Set-Cookie', ['a=1', 'b=2'])
      response.setHeader('Server', 'mine')
      response.end()
    },
    { onTestFinished, ...(attributes && { attributes }) },
  )
  const text = [`GET ${target} ${version}`, ...lines, 'Connection: close', '', ''].join('\r\n')
  const answer = await exchangeRaw(port, text.replaceAll('PORT', String(port)), onTestFinished)
  return { ...(await seen.promise), port, answer }
}

const addresses = (count: number): string => Array.from({ length: count }, (_, index) => `192.0.2.${index}`).join(', ')

describe.for(TARGET_KINDS)('item 5, X-Forwarded-For, before a target %s', (kind) => {
  test.for([
    ['append', {}, undefined, '127.0.0.1'],
    ['append', {}, '192.0.2.1', '192.0.2.1, 127.0.0.1'],
    ['preserve', { xffMode: 'preserve' }, '192.0.2.1', '192.0.2.1'],
    ['preserve', { xffMode: 'preserve' }, undefined, undefined],
    ['remove', { xffMode: 'remove' }, '192.0.2.1', undefined],
    ['client port', { addsClientPort: true }, '192.0.2.1', /^192\.0\.2\.1, 127\.0\.0\.1:\d+$/],
  ] as const)('%s %o: %s becomes %s', async ([, attributes, sent, wanted], { expect, onTestFinished }) => {
    const lines = ['Host: a', ...(sent === undefined ? [] : [`X-Forwarded-For: ${sent}`])]

    const { headers } = await send(lines, { kind, attributes, onTestFinished })

    if (wanted instanceof RegExp) expect(headers['x-forwarded-for']).toMatch(wanted)
    else expect(headers['x-forwarded-for']).toBe(wanted)
  })

  test('30 addresses pass, 31 are a 463', async ({ expect, onTestFinished }) => {
    const { port } = await startBefore(kind, (_, response) => response.end(), { onTestFinished })
    const request = (count: number): string =>
      `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${addresses(count)}\r\nConnection: close\r\n\r\n`

    expect(await exchangeRaw(port, request(30), onTestFinished)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await exchangeRaw(port, request(31), onTestFinished)).toMatch(/^HTTP\/1\.1 463 /)
  })
})

describe.for(TARGET_KINDS)('item 6, X-Amzn-Trace-Id, before a target %s', (kind) => {
  const root = 'Root=1-67748000-0123456789abcdef01234567'
  const self = 'Self=1-67748580-[0-9a-f]{24}'

  test.for([
    ['none', undefined, /^Root=1-67748580-[0-9a-f]{24}$/],
    ['a root', root, new RegExp(`^${self};${root}$`)],
    ['a self and a root', `Self=1-2-3;${root};X=y`, new RegExp(`^${self};${root};X=y$`)],
    ['custom fields', `${root};CalledFrom=app`, new RegExp(`^${self};${root};CalledFrom=app$`)],
    ['more than 7 KB', `${root};Long=${'x'.repeat(7 * 1024)}`, new RegExp(`^${root}$`)],
    ['no sense', 'what?', /^Root=1-67748580-[0-9a-f]{24}$/],
  ] as const)('%s', async ([, sent, wanted], { expect, onTestFinished }) => {
    const lines = ['Host: a', ...(sent === undefined ? [] : [`X-Amzn-Trace-Id: ${sent}`])]

    const { headers, answer } = await send(lines, { kind, onTestFinished })

    expect(headers['x-amzn-trace-id']).toMatch(wanted)
    expect(answer.toLowerCase()).not.toContain('x-amzn-trace-id')
  })
})

describe.for(TARGET_KINDS)('item 7, Host and Expect, before a target %s', (kind) => {
  test.for([
    ['API.Example.com', 'api.example.com:PORT'],
    ['api.example.com:PORT', 'api.example.com:PORT'],
    ['api.example.com:80', 'api.example.com'],
  ] as const)('%s becomes %s', async ([sent, wanted], { expect, onTestFinished }) => {
    const { headers, port } = await send([`Host: ${sent}`], { kind, onTestFinished })

    expect(headers['host']).toBe(wanted.replace('PORT', String(port)))
  })

  test('preserved, it stays byte for byte, repeated ones too', async ({ expect, onTestFinished }) => {
    const attributes = { preservesHost: true }

    const { lines } = await send(['hOST: API.Example.com', 'Host: other'], { kind, attributes, onTestFinished })

    expect(lines.slice(0, 2)).toEqual(['hOST: API.Example.com', 'Host: other'])
  })

  test('of repeated ones the first goes on', async ({ expect, onTestFinished }) => {
    const { lines, port } = await send(['Host: one', 'Host: two'], { kind, onTestFinished })

    expect(lines.filter((line) => line.toLowerCase().startsWith('host:'))).toEqual([`Host: one:${port}`])
  })

  test('a client of HTTP/1.0 without one gets the listener’s', async ({ expect, onTestFinished }) => {
    const { headers, port } = await send([], { kind, version: 'HTTP/1.0', onTestFinished })

    expect(headers['host']).toBe(`127.0.0.1:${port}`)
  })

  test('an absolute target wins over it', async ({ expect, onTestFinished }) => {
    const { headers, port } = await send(['Host: other'], { kind, target: 'http://Wins.example/x', onTestFinished })

    expect(headers['host']).toBe(`wins.example:${port}`)
  })

  test('Expect is answered and does not go on', async ({ expect, onTestFinished }) => {
    const seen = createDeferred<unknown>()
    const { port } = await startBefore(
      kind,
      (request, response) => {
        seen.resolve(request.headers.expect)
        request.resume().once('end', () => response.end())
      },
      { onTestFinished },
    )
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n'

    const answer = await exchangeRaw(port, `${head}ok`, onTestFinished)

    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
    expect(answer.match(/100 Continue/g)).toHaveLength(1)
    expect(await seen.promise).toBeUndefined()
  })
})

describe.for(TARGET_KINDS)('another expectation, before a target %s', (kind) => {
  test('is dropped too', async ({ expect, onTestFinished }) => {
    const { headers, answer } = await send(['Host: a', 'Expect: a-miracle'], { kind, onTestFinished })

    expect(headers['expect']).toBeUndefined()
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })
})

describe.for(TARGET_KINDS)('the rest of §1.9, before a target %s', (kind) => {
  test('item 8: two Set-Cookie stay two and the target’s Server stays its own', async ({ expect, onTestFinished }) => {
    const { answer } = await send(['Host: a'], { kind, onTestFinished })

    expect(answer.match(/^Set-Cookie: .*$/gm)).toEqual(['Set-Cookie: a=1', 'Set-Cookie: b=2'])
    expect(answer).toContain('\r\nServer: mine\r\n')
  })

  test('invalid names pass, and end at the balancer when it drops them', async ({ expect, onTestFinished }) => {
    const lines = ['Host: a', 'X_Under: 1', 'X.Dot: 2', 'X-Fine: 3']

    const kept = await send(lines, { kind, onTestFinished })
    const dropped = await send(lines, { kind, attributes: { dropsInvalidHeaders: true }, onTestFinished })

    expect(kept.headers).toMatchObject({ x_under: '1', 'x.dot': '2', 'x-fine': '3' })
    expect(Object.keys(dropped.headers)).not.toEqual(expect.arrayContaining(['x_under']))
    expect(Object.keys(dropped.headers)).not.toEqual(expect.arrayContaining(['x.dot']))
    expect(dropped.headers).toMatchObject({ 'x-fine': '3' })
  })

  test('protocol and port are the listener’s, whatever the client says; the other host stays', async ({
    expect,
    onTestFinished,
  }) => {
    const lines = ['Host: a', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 1', 'X-Forwarded-Host: kept']

    const { headers, port } = await send(lines, { kind, onTestFinished })

    expect(headers).toMatchObject({
      'x-forwarded-proto': 'http',
      'x-forwarded-port': String(port),
      'x-forwarded-host': 'kept',
    })
  })

  test('names go on as the client wrote them', async ({ expect, onTestFinished }) => {
    const { lines } = await send(['Host: a', 'x-LoWeR: 1'], { kind, onTestFinished })

    expect(lines).toContain('x-LoWeR: 1')
  })

  test('a target that wants its connection closed does not close the client’s', async ({ expect, onTestFinished }) => {
    const { port } = await startBefore(
      kind,
      (_, response) => {
        response.writeHead(200, { Connection: 'close', 'Keep-Alive': 'timeout=1', 'Content-Length': 2 })
        response.end('ok')
      },
      { onTestFinished },
    )
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

    const answer = await exchangeRaw(port, `${request}${request.slice(0, -2)}Connection: close\r\n\r\n`, onTestFinished)

    expect(answer.match(/^Connection: .*$/gm)).toEqual(['Connection: keep-alive', 'Connection: close'])
    expect(answer).not.toContain('Keep-Alive')
  })
})
