import { describe, test } from 'vitest'
import { exchangeRaw, startTestBalancer } from '../../tests/test-balancer.ts'
import type { Action, RedirectAction } from '../model.ts'

const redirect = (parts: Partial<RedirectAction> = { path: '/new' }): RedirectAction => ({
  type: 'redirect',
  statusCode: 301,
  ...parts,
})

function ask(url: string, ...headers: readonly string[]): string {
  return [`GET ${url} HTTP/1.1`, 'Host: Api.Example.com:8080', ...headers, 'Connection: close', '', ''].join('\r\n')
}

describe('item 4, redirects', () => {
  test.for<[string, Partial<RedirectAction>, string, string]>([
    ['port and query', { protocol: 'HTTPS', port: '443' }, '/a/b?c=d', 'https://api.example.com:443/a/b?c=d'],
    ['no query, no question mark', { protocol: 'HTTPS', port: '443' }, '/a', 'https://api.example.com:443/a'],
    ['the own port', { path: '/new/#{path}' }, '/a/b', 'http://api.example.com:PORT/new/a/b'],
    [
      'every keyword',
      { host: 'www.#{host}', path: '/#{host}/#{port}/#{path}', query: 'was=#{path}&#{query}' },
      '/a?b=c',
      'http://www.api.example.com:PORT/api.example.com/PORT/a?was=a&b=c',
    ],
    ['an empty query of the action', { path: '/new', query: '' }, '/a?b=c', 'http://api.example.com:PORT/new'],
  ])('`Location` carries %s', async ([, parts, url, location], { expect, onTestFinished }) => {
    const { port } = await startTestBalancer({ onTestFinished, defaultAction: redirect(parts) })

    const answer = await exchangeRaw(port, ask(url), onTestFinished)

    expect(answer).toContain(`\r\nLocation: ${location.replaceAll('PORT', String(port))}\r\n`)
  })

  test.for([
    [301, '301 Moved Permanently', 134],
    [302, '302 Found', 110],
  ] as const)('body of a %i', async ([statusCode, title, length], { expect, onTestFinished }) => {
    const { port } = await startTestBalancer({ onTestFinished, defaultAction: { ...redirect(), statusCode } })

    // Nothing is added for browsers below 400.
    const answer = await exchangeRaw(port, ask('/a', 'User-Agent: Chrome/1'), onTestFinished)

    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head.split('\r\n')).toEqual([
      `HTTP/1.1 ${title}`,
      'Server: awselb/2.0',
      'Date: Wed, 01 Jan 2025 00:00:00 GMT',
      'Content-Type: text/html',
      `Content-Length: ${length}`,
      'Connection: close',
      `Location: http://api.example.com:${port}/new`,
    ])
    expect(body).toBe(
      `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
    )
    expect(body).toHaveLength(length)
  })

  test('a `Location` over 8 KB cannot be completed', async ({ expect, onTestFinished }) => {
    const { port } = await startTestBalancer({ onTestFinished, defaultAction: redirect({ host: 'b.example.com' }) })

    expect(await exchangeRaw(port, ask(`/${'a'.repeat(8_100)}`), onTestFinished)).toMatch(/^HTTP\/1\.1 301 /)
    expect(await exchangeRaw(port, ask(`/${'a'.repeat(8_192)}`), onTestFinished)).toMatch(/^HTTP\/1\.1 500 /)
  })
})

describe('item 4, fixed responses', () => {
  test.for([
    [200, 'text/plain', 'text/plain; charset=utf-8', 'é', 2],
    [404, 'text/html', 'text/html; charset=utf-8', '', 0],
    [503, 'application/json', 'application/json', '{"a":1}', 7],
  ] as const)('%i with type %s', async ([statusCode, type, sent, body, length], { expect, onTestFinished }) => {
    const defaultAction: Action = { type: 'fixed-response', statusCode, contentType: type, body }
    const { port } = await startTestBalancer({ onTestFinished, defaultAction })

    const answer = await exchangeRaw(port, ask('/'), onTestFinished)

    const [head = '', received = ''] = answer.split('\r\n\r\n')
    expect(head.split('\r\n').slice(1)).toEqual([
      'Server: awselb/2.0',
      'Date: Wed, 01 Jan 2025 00:00:00 GMT',
      `Content-Type: ${sent}`,
      `Content-Length: ${length}`,
      'Connection: close',
    ])
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${statusCode} `))
    expect(Buffer.from(received, 'latin1').toString()).toBe(body)
  })

  test('body over 1,024 refused by the API', async ({ expect, onTestFinished }) => {
    const fixed = (length: number): Action => ({
      type: 'fixed-response',
      statusCode: 200,
      contentType: 'text/plain',
      body: 'x'.repeat(length),
    })
    const { balancer } = await startTestBalancer({ onTestFinished, defaultAction: fixed(1_024) })
    const rules = balancer.listeners[0]?.rules

    await expect(startTestBalancer({ onTestFinished, defaultAction: fixed(1_025) })).rejects.toMatchObject({
      code: 'ALDEA_CONFIG_INVALID',
    })
    expect(() => rules?.setDefaultAction(fixed(1_025))).toThrow(
      expect.objectContaining({
        code: 'ValidationError',
        message: expect.stringMatching(/'fixedResponseConfig\.messageBody' failed .+ less than or equal to 1024$/),
      }),
    )
    expect(rules?.defaultAction).toEqual(fixed(1_024))
  })
})
