import { type Arbitrary, array, assert, constantFrom, option, property, record, string } from 'fast-check'
import { describe, test } from 'vitest'
import type { Action, Condition, Rule } from '../model.ts'
import { type RequestFacts, toFacts } from './facts.ts'
import { compilePattern } from './patterns.ts'
import { compileRules, matchesRule } from './rules.ts'

const action: Action = { type: 'forward', targetGroup: 'any' }
const request = toFacts({
  method: 'GET',
  url: '/v1/listen',
  headers: { host: 'api.example.com' },
  client: '192.0.2.7',
})

/** Priority of the first rule that matches. */
function find(rules: readonly Rule[], facts: RequestFacts): number | undefined {
  return compileRules(rules).find((rule) => matchesRule(rule, facts))?.priority
}

interface Case {
  readonly title: string
  readonly condition: Condition
  readonly facts: Partial<RequestFacts>
  readonly expected: boolean
}

const host = (value: string, of: string, expected: boolean): Case => ({
  title: `host ${value} and ${of}`,
  condition: { field: 'host-header', values: [value] },
  facts: { host: of },
  expected,
})
const hostRegex = (source: string, of: string, expected: boolean): Case => ({
  title: `host regex ${source} and ${of}`,
  condition: { field: 'host-header', regexValues: [source] },
  facts: toFacts({ method: 'GET', url: '/', headers: { host: of }, client: '' }),
  expected,
})
const path = (value: string, of: string, expected: boolean): Case => ({
  title: `path ${value} and ${of}`,
  condition: { field: 'path-pattern', values: [value] },
  facts: { path: of },
  expected,
})
const pathRegex = (source: string, of: string, expected: boolean): Case => ({
  title: `path regex ${source} and ${of}`,
  condition: { field: 'path-pattern', regexValues: [source] },
  facts: { path: of },
  expected,
})
const method = (value: string, of: string, expected: boolean): Case => ({
  title: `method ${value} and ${of}`,
  condition: { field: 'http-request-method', values: [value] },
  facts: { method: of },
  expected,
})
const upgrade = (value: string, headers: RequestFacts['headers'], expected: boolean): Case => ({
  title: `header Upgrade: ${value} and ${JSON.stringify(headers)}`,
  condition: { field: 'http-header', name: 'Upgrade', values: [value] },
  facts: { headers },
  expected,
})
const query = (key: string | undefined, value: string, of: string, expected: boolean): Case => ({
  title: `query ${key ?? '(any)'}=${value} and ?${of}`,
  condition: { field: 'query-string', values: [key === undefined ? { value } : { key, value }] },
  facts: { query: of },
  expected,
})
const source = (block: string, of: string, expected: boolean): Case => ({
  title: `source ${block} and ${of}`,
  condition: { field: 'source-ip', values: [block] },
  facts: { client: of },
  expected,
})

describe('a condition', () => {
  test.for<Case>([
    host('api.example.com', 'api.example.com', true),
    host('API.Example.com', 'api.example.com', true),
    host('*.example.com', 'api.example.com', true),
    host('*.example.com', 'example.com', false),
    host('api?.example.com', 'api2.example.com', true),
    host('api?.example.com', 'api.example.com', false),
    hostRegex('^(api|www)\\.example\\.com$', 'WWW.example.com', true),
    hostRegex('^(api|www)\\.example\\.com$', 'www.example.com:8443', true),
    hostRegex('^www\\.example\\.com:8443$', 'www.example.com:8443', true),
    hostRegex('^www\\.example\\.com:8443$', 'www.example.com:8444', false),
    path('/api/*', '/api/', true),
    path('/api/*', '/api/x/y', true),
    path('/api/*', '/api', false),
    path('/Api/*', '/api/x', false),
    path('*/listen', '/v1/listen', true),
    path('/v?/listen', '/v12/listen', false),
    path('/a b', '/a%20b', false),
    pathRegex('^/v[0-9]+/', '/v12/listen', true),
    pathRegex('^/V[0-9]+/', '/v12/listen', false),
    method('GET', 'GET', true),
    method('GET', 'HEAD', false),
    method('get', 'GET', false),
    upgrade('websocket', { upgrade: 'WebSocket' }, true),
    upgrade('websocket', {}, false),
    upgrade('web*', { upgrade: 'h2c, websocket' }, true),
    upgrade('websocket', { upgrade: 'h2c' }, false),
    query('version', 'v1', 'version=v1', true),
    query('Version', 'V1', 'a=b&vErsion=v1', true),
    query('version', 'v1', 'version=v2', false),
    query('version', 'v*', 'version=v2', true),
    query('ver*', 'v?', 'version=v2', true),
    query(undefined, 'v1', 'any=v1', true),
    query(undefined, 'v1', 'v1=any', false),
    query('a', '\\*', 'a=*', true),
    query('a', '\\*', 'a=b', false),
    query('a', '', 'a', true),
    query('a', '', 'a=b', false),
    query('a', '*', 'a=', true),
    query('a', '*', '', false),
    query('a', 'b=c', 'a=b=c', true),
    query('a', 'b c', 'a=b%20c', false),
    source('192.0.2.0/24', '192.0.2.7', true),
    source('192.0.2.0/24', '192.0.3.7', false),
    source('192.0.2.7/32', '192.0.2.7', true),
    source('0.0.0.0/0', '2001:db8::1', false),
    source('2001:db8::/32', '2001:db8:1::1', true),
    source('2001:db8::/32', '2001:db9::1', false),
    source('2001:db8::/32', '-', false),
  ])('on $title says $expected', ({ condition, facts, expected }, { expect }) => {
    const rules = [{ priority: 1, conditions: [condition], action }]

    expect(find(rules, { ...request, ...facts }) === 1).toBe(expected)
  })
})

test('the lowest priority that matches wins, whatever the order of the list', ({ expect }) => {
  const all: Condition = { field: 'path-pattern', values: ['/*'] }
  const none: Condition = { field: 'path-pattern', values: ['/other'] }

  expect(
    find(
      [
        { priority: 30, conditions: [all], action },
        { priority: 20, conditions: [all], action },
        { priority: 10, conditions: [all, none], action },
      ],
      request,
    ),
  ).toBe(20)
})

test('values and regular expressions of a condition are alternatives', ({ expect }) => {
  const values = ['/listen', '/v1/listen']
  const regexValues = ['^/x', '/y$']
  const rules: Rule[] = [{ priority: 1, conditions: [{ field: 'path-pattern', values, regexValues }], action }]

  expect(find(rules, { ...request, path: '/listen' })).toBe(1)
  expect(find(rules, { ...request, path: '/v1/listen' })).toBe(1)
  expect(find(rules, { ...request, path: '/a/y' })).toBe(1)
  expect(find(rules, { ...request, path: '/v2/listen' })).toBeUndefined()
})

const letters = (from: readonly string[]): Arbitrary<string> => string({ unit: constantFrom(...from), maxLength: 8 })

test('patterns agree with regular expressions', () => {
  assert(
    property(
      letters(['a', 'b', '/', '*', '?']),
      letters(['a', 'b', '/']),
      (pattern, text) => compilePattern(pattern)(text) === toRegExp(pattern).test(text),
    ),
    { numRuns: 2_000 },
  )
})

test('rules agree with a search that sorts, filters and takes the first', () => {
  const pattern = letters(['a', 'B', '*', '?'])
  const values = array(pattern, { minLength: 1, maxLength: 2 })
  const condition: Arbitrary<Condition> = constantFrom<Condition['field'][]>(
    'host-header',
    'path-pattern',
    'http-request-method',
    'http-header',
    'query-string',
    'source-ip',
  ).chain((field): Arbitrary<Condition> => {
    switch (field) {
      case 'host-header':
      case 'path-pattern':
      case 'http-request-method':
        return record({ field: constantFrom(field), values })
      case 'http-header':
        return record({ field: constantFrom(field), name: constantFrom('X-A', 'x-b'), values })
      case 'query-string': {
        const parameter = record({ key: letters(['a', 'B']), value: pattern }, { requiredKeys: ['value'] })
        return record({ field: constantFrom(field), values: array(parameter, { minLength: 1, maxLength: 2 }) })
      }
      case 'source-ip':
        return record({ field: constantFrom(field), values: array(constantFrom('10.0.0.0/8', '10.1.0.0/16')) })
    }
  })
  const facts: Arbitrary<RequestFacts> = record({
    method: letters(['a', 'B']),
    host: letters(['a', 'b']),
    authority: constantFrom(undefined),
    path: letters(['a', 'B']),
    query: letters(['a', 'b', '=', '&']),
    headers: record({ 'x-a': letters(['a', 'B']), 'x-b': letters(['a', 'B']) }, { requiredKeys: [] }),
    client: constantFrom('10.1.2.3', '10.2.2.3', '11.0.0.1'),
  })
  const conditions = array(array(condition, { maxLength: 2 }), { maxLength: 5 })

  assert(
    property(conditions, option(constantFrom('reversed')), facts, (given, order, asked) => {
      const rules = given.map((each, index) => ({ priority: index + 1, conditions: each, action }))
      const found = find(order === 'reversed' ? rules.toReversed() : rules, asked)

      const wanted = rules.find((rule) => rule.conditions.every((each) => naiveMatch(each, asked)))
      return found === wanted?.priority
    }),
    { numRuns: 1_000 },
  )
})

test('a pattern full of stars does not take long over a long text', ({ expect }) => {
  const matches = compilePattern(`${'*a'.repeat(40)}b`)

  expect(matches('a'.repeat(16_000))).toBe(false)
})

function naiveMatch(
  condition: Condition,
  { host: name, path: asked, headers, query: raw, ...facts }: RequestFacts,
): boolean {
  switch (condition.field) {
    case 'host-header':
      return (condition.values ?? []).some((value) => toRegExp(value, 'i').test(name))
    case 'path-pattern':
      return (condition.values ?? []).some((value) => toRegExp(value).test(asked))
    case 'http-request-method':
      return condition.values.includes(facts.method)
    case 'http-header': {
      const value = headers[condition.name.toLowerCase()]
      return (condition.values ?? []).some((wanted) => value !== undefined && toRegExp(wanted, 'i').test(String(value)))
    }
    case 'query-string':
      return raw
        .split('&')
        .filter((parameter) => parameter !== '')
        .map((parameter) => /^([^=]*)=?(.*)$/.exec(parameter))
        .some((found) =>
          condition.values.some(
            ({ key = '*', value }) =>
              toRegExp(key, 'i').test(found?.[1] ?? '') && toRegExp(value, 'i').test(found?.[2] ?? ''),
          ),
        )
    case 'source-ip':
      return condition.values.some((block) => facts.client.startsWith(block === '10.0.0.0/8' ? '10.' : '10.1.'))
  }
}

function toRegExp(pattern: string, flags = ''): RegExp {
  return new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, `s${flags}`)
}
