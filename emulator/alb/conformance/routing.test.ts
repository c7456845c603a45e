import { Agent } from 'node:http'
import { describe, test } from 'vitest'
import { exchangeRaw, forwardTo, get } from '../../tests/test-balancer.ts'
import type { Condition, Rule } from '../model.ts'
import { startRouted } from './testing-routed.ts'
import { TARGET_KINDS } from './testing.ts'

const rule = (priority: number, ...conditions: readonly Condition[]): Rule => ({
  priority,
  conditions,
  action: forwardTo('ruled'),
})
const path = (...values: readonly string[]): Condition => ({ field: 'path-pattern', values })
const host = (...values: readonly string[]): Condition => ({ field: 'host-header', values })
const header = (name: string, ...values: readonly string[]): Condition => ({ field: 'http-header', name, values })
const groups = ['web', 'ruled']

describe.for(TARGET_KINDS)('item 1, routing, before a target %s', (kind) => {
  test('ascending priority, default last', async ({ expect, onTestFinished }) => {
    const rules: Rule[] = [
      { ...rule(20, path('/a*')), action: forwardTo('later') },
      rule(10, path('/a*')),
      { ...rule(30, path('/*')), action: forwardTo('last') },
    ]
    const { port } = await startRouted(kind, { groups: [...groups, 'later', 'last'], rules, onTestFinished })

    expect((await get(port, '/ab')).body).toMatch(/^ruled /)
    expect((await get(port, '/b')).body).toMatch(/^last /)
  })

  test.for<[string, Condition, { method?: string; host?: string; path: string; headers?: string[] }, boolean]>([
    ['path case-sensitive', path('/api/x'), { path: '/api/x' }, true],
    ['path case-sensitive', path('/api/x'), { path: '/API/x' }, false],
    ['path without the query', path('/api/x'), { path: '/api/x?y=z' }, true],
    ['host case-insensitive without port', host('api.example.com'), { host: 'API.Example.COM:8443', path: '/' }, true],
    ['`/api/*` ≠ `/api`', path('/api/*'), { path: '/api' }, false],
    ['`/api/*` ≠ `/api`', path('/api/*'), { path: '/api/' }, true],
    ['`*.example.com` ≠ `example.com`', host('*.example.com'), { host: 'example.com', path: '/' }, false],
    ['`*.example.com` ≠ `example.com`', host('*.example.com'), { host: 'a.example.com', path: '/' }, true],
    ['header values case-insensitive', header('X-Kind', 'Beta*'), { path: '/', headers: ['x-kind: bETA2'] }, true],
    ['header values case-insensitive', header('X-Kind', 'Beta*'), { path: '/', headers: ['x-kind: alpha'] }, false],
    [
      'any occurrence of a header',
      header('X-Kind', 'beta'),
      { path: '/', headers: ['X-Kind: alpha', 'X-Kind: beta'] },
      true,
    ],
    [
      'query values case-insensitive',
      { field: 'query-string', values: [{ key: 'Kind', value: 'Beta' }] },
      { path: '/?a=b&kind=bETA' },
      true,
    ],
    [
      'query values case-insensitive',
      { field: 'query-string', values: [{ key: 'Kind', value: 'Beta' }] },
      { path: '/?a=beta' },
      false,
    ],
    ['method exact', { field: 'http-request-method', values: ['GET'] }, { method: 'HEAD', path: '/' }, false],
    ['method exact', { field: 'http-request-method', values: ['PUT', 'GET'] }, { path: '/' }, true],
    ['regular expressions', { field: 'path-pattern', regexValues: ['^/v[0-9]+/'] }, { path: '/v12/listen' }, true],
    ['regular expressions', { field: 'path-pattern', regexValues: ['^/v[0-9]+/'] }, { path: '/v/listen' }, false],
  ])('%s: %j and %j', async ([, condition, request, isRuled], { expect, onTestFinished }) => {
    const rules = [rule(1, condition), { ...rule(2), action: forwardTo('web') }]
    const { port } = await startRouted(kind, { groups, rules, onTestFinished })
    const { method = 'GET', host: name = 'a', path: url, headers = [] } = request

    const head = [`${method} ${url} HTTP/1.1`, `Host: ${name}`, ...headers, 'Connection: close', '', '']
    const answer = await exchangeRaw(port, head.join('\r\n'), onTestFinished)

    expect(answer).toContain(`\r\nX-Group: ${isRuled ? 'ruled' : 'web'}\r\n`)
  })
})

describe.for(TARGET_KINDS)('item 2, source-ip, before a target %s', (kind) => {
  test('uses the peer even with forged X-Forwarded-For', async ({ expect, onTestFinished }) => {
    const rules = [rule(1, { field: 'source-ip', values: ['198.51.100.0/24', '2001:db8::/32'] })]
    const { port, balancer } = await startRouted(kind, { groups, rules, onTestFinished })
    const forged = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n'

    expect(await exchangeRaw(port, forged, onTestFinished)).toContain('\r\n\r\nweb ')
    balancer.listeners[0]?.rules.setRules([rule(1, { field: 'source-ip', values: ['127.0.0.0/8'] })])
    expect(await exchangeRaw(port, forged, onTestFinished)).toContain('\r\n\r\nruled ')
  })
})

describe.for(TARGET_KINDS)('changes of the rules, before a target %s', (kind) => {
  test('count from the next request on, on a connection that is open', async ({ expect, onTestFinished }) => {
    const { port, balancer } = await startRouted(kind, { groups, onTestFinished })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const rules = balancer.listeners[0]?.rules

    const first = await get(port, '/', { agent })
    rules?.createRule(rule(5, path('/')))
    const created = await get(port, '/', { agent })
    rules?.modifyRule(5, { conditions: [path('/other')] })
    const modified = await get(port, '/', { agent })
    rules?.createRule({ ...rule(6, path('/other')), action: forwardTo('web') })
    rules?.setPriorities([
      { from: 5, to: 6 },
      { from: 6, to: 5 },
    ])
    const swapped = await get(port, '/other', { agent })
    rules?.deleteRule(5)
    const deleted = await get(port, '/other', { agent })
    rules?.setDefaultAction(forwardTo('ruled'))
    const last = await get(port, '/', { agent })

    const answers = [first, created, modified, swapped, deleted, last]
    expect(answers.map(({ body }) => body.split(' ')[0])).toEqual(['web', 'ruled', 'web', 'web', 'ruled', 'ruled'])
    expect(new Set(answers.map(({ localPort }) => localPort)).size).toBe(1)
  })
})

test('a change that AWS would refuse changes nothing', async ({ expect, onTestFinished }) => {
  const { balancer } = await startRouted('in-process', {
    groups,
    rules: [rule(5, path('/a')), rule(6)],
    onTestFinished,
  })
  const rules = balancer.listeners[0]?.rules
  const before = rules?.rules

  expect(() => rules?.createRule(rule(5))).toThrow("Priority '5' is currently in use")
  expect(() => rules?.createRule({ ...rule(7), action: forwardTo('nowhere') })).toThrow(
    expect.objectContaining({ code: 'TargetGroupNotFound' }),
  )
  expect(() => rules?.deleteRule(7)).toThrow(expect.objectContaining({ code: 'RuleNotFound' }))
  expect(() => rules?.setPriorities([{ from: 5, to: 6 }])).toThrow(expect.objectContaining({ code: 'PriorityInUse' }))
  expect(rules?.rules).toEqual(before)
})

describe.for(TARGET_KINDS)('transforms, before a target %s', (kind) => {
  const transforms = [
    { type: 'host-header-rewrite', regex: '^mywebsite-(.+).com$', replace: 'internal.$1.example.com' },
    { type: 'url-rewrite', regex: '^/dp/([A-Za-z0-9]+)/?$', replace: '/product.php?id=$1' },
  ] as const
  const rules = [{ ...rule(1, path('/dp/*')), transforms }]

  test.for([
    ['mywebsite-a.com', '/dp/B09/', 'internal.a.example.com /product.php?id=B09'],
    ['MyWebsite-a.com:81', '/dp/B09', 'internal.a.example.com /product.php?id=B09'],
    ['a', '/dp/a-b', 'a /dp/a-b'],
    ['mywebsite-a.com', '/other', 'mywebsite-a.com /other'],
  ] as const)('of %s%s', async ([name, url, seen], { expect, onTestFinished }) => {
    const { port } = await startRouted(kind, { groups, rules, onTestFinished })

    expect((await get(port, url, { host: name })).body.replace(/^\w+ /, '')).toBe(seen)
  })

  test('that make no URL are a 500', async ({ expect, onTestFinished }) => {
    const broken = [{ ...rule(1), transforms: [{ type: 'url-rewrite', regex: '^/', replace: '' } as const] }]
    const { port } = await startRouted(kind, { groups, rules: broken, onTestFinished })

    expect((await get(port, '/a')).status).toBe(500)
  })
})

test('an explanation says which rule matched and why those before did not', async ({ expect, onTestFinished }) => {
  const wanted = path('/b*')
  const rules = [rule(1, host('a.example.com'), path('/x')), rule(2, wanted), rule(3)]
  const { balancer } = await startRouted('in-process', { groups, rules, onTestFinished })

  const { action } = rule(1)
  const facts = {
    method: 'GET',
    host: 'a.example.com',
    authority: 'a.example.com',
    path: '/c',
    query: '',
    headers: {},
    client: '127.0.0.1',
  }
  expect(balancer.listeners[0]?.rules.explain(facts)).toEqual([
    { rule: 1, action, outcome: 'failed', failed: { condition: path('/x'), compared: '/c' } },
    { rule: 2, action, outcome: 'failed', failed: { condition: wanted, compared: '/c' } },
    { rule: 3, action, outcome: 'matched', failed: undefined },
    { rule: 'default', action: forwardTo('web'), outcome: 'not-reached', failed: undefined },
  ])
})
