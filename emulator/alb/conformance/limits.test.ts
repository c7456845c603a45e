import { describe, test } from 'vitest'
import { exchangeRaw } from '../../tests/test-balancer.ts'
import { TARGET_KINDS, startBefore } from './testing.ts'

const long = (length: number): string => 'x'.repeat(length)
const lines = (...headers: readonly string[]): string =>
  ['GET / HTTP/1.1', 'Host: a', 'Connection: close', ...headers, '', ''].join('\r\n')

describe.for(TARGET_KINDS)('item 12, before a target %s', (kind) => {
  test.for([
    ['a URL of 16 KB', `GET /${long(16 * 1024 - 1)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 200, 0],
    ['a longer URL', `GET /${long(16 * 1024)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, 414, 142],
    ['a URL that does not end', `GET /${long(17_000)}`, 414, 142],
    ['a header of 16 KB', lines(`X: ${long(16 * 1024 - 1)}`), 200, 0],
    ['a longer header', lines(`X: ${long(16 * 1024)}`), 400, 122],
    ['headers of almost 64 KB', lines(...Array.from({ length: 7 }, (_, index) => `X${index}: ${long(9_000)}`)), 200, 0],
    ['headers of more', lines(...Array.from({ length: 8 }, (_, index) => `X${index}: ${long(9_000)}`)), 400, 122],
    [
      'headers of more that do not end',
      lines(...Array.from({ length: 8 }, () => `X: ${long(9_000)}`)).slice(0, -4),
      400,
      122,
    ],
  ] as const)('%s: %i', async ([, sent, status, length], { expect, onTestFinished }) => {
    const { port } = await startBefore(kind, (_, response) => response.writeHead(200, { 'Content-Length': 0 }).end(), {
      onTestFinished,
    })

    const received = await exchangeRaw(port, sent, onTestFinished)

    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*Content-Length: ${length}\r\n`))
    expect(received).toContain('Connection: close\r\n')
  })
})
