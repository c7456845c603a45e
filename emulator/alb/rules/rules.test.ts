import { type Arbitrary, array, assert, constantFrom, option, property, record, string } from 'fast-check'
import { describe, test } from 'vitest'
import type { Action, Condition } from '../model.ts'
import { compilePattern } from './patterns.ts'
import { type RequestFacts, compileRules } from './rules.ts'

const action: Action = { type: 'forward', targetGroup: 'any' }
const request: RequestFacts = { method: 'GET', host: 'api.example.com', path: '/v1/listen', headers: {} }

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
const path = (value: string, of: string, expected: boolean): Case => ({
  title: `path ${value} and ${of}`,
  condition: { field: 'path-pattern', values: [value] },
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

describe('a condition', () => {
  test.for<Case>([
    host('api.example.com', 'api.example.com', true),
    host('API.Example.com', 'api.example.com', true),
    host('*.example.com', 'api.example.com', true),
    host('*.example.com', 'example.com', false),
    host('api?.example.com', 'api2.example.com', true),
    host('api?.example.com', 'api.example.com', false),
    path('/api/*', '/api/', true),
    path('/api/*', '/api/x/y', true),
    path('/api/*', '/api', false),
    path('/Api/*', '/api/x', false),
    path('*/listen', '/v1/listen', true),
    path('/v?/listen', '/v12/listen', false),
    method('GET', 'GET', true),
    method('GET', 'HEAD', false),
    method('get', 'GET', false),
    upgrade('websocket', { upgrade: 'WebSocket' }, true),
    upgrade('websocket', {}, false),
    upgrade('web*', { upgrade: 'h2c, websocket' }, true),
    upgrade('websocket', { upgrade: 'h2c' }, false),
  ])('on $title says $expected', ({ condition, facts, expected }, { expect }) => {
    const find = compileRules([{ priority: 1, conditions: [condition], action }], action)

    expect(find({ ...request, ...facts }).priority === 1).toBe(expected)
  })
})

test('the lowest priority that matches wins, whatever the order of the list', ({ expect }) => {
  const all: Condition = { field: 'path-pattern', values: ['/*'] }
  const none: Condition = { field: 'path-pattern', values: ['/other'] }
  const find = compileRules(
    [
      { priority: 30, conditions: [all], action },
      { priority: 20, conditions: [all], action },
      { priority: 10, conditions: [all, none], action },
    ],
    action,
  )

  expect(find(request).priority).toBe(20)
})

test('values of a condition are alternatives', ({ expect }) => {
  const values = ['/listen', '/v1/listen']
  const find = compileRules([{ priority: 1, conditions: [{ field: 'path-pattern', values }], action }], action)

  expect(find({ ...request, path: '/listen' }).priority).toBe(1)
  expect(find({ ...request, path: '/v1/listen' }).priority).toBe(1)
  expect(find({ ...request, path: '/v2/listen' }).priority).toBeUndefined()
})

const letters = (from: readonly string[]): Arbitrary<string> => string({ unit: constantFrom(...from), maxLength: 8 })

test('patterns agree with regular expressions', ({ expect }) => {
  assert(
    property(letters(['a', 'b', '/', '*', '?']), letters(['a', 'b', '/']), (pattern, text) => {
      expect(compilePattern(pattern)(text)).toBe(toRegExp(pattern).test(text))
    }),
    { numRuns: 2_000 },
  )
})

test('rules agree with a search that sorts, filters and takes the first', ({ expect }) => {
  const condition: Arbitrary<Condition> = record({
    field: constantFrom('host-header' as const, 'path-pattern' as const, 'http-request-method' as const),
    values: array(letters(['a', 'B', '*']), { minLength: 1, maxLength: 2 }),
  })
  const facts = record({
    method: letters(['a', 'B']),
    host: letters(['a', 'b']),
    path: letters(['a', 'B']),
    headers: constantFrom({}),
  })
  const conditions = array(array(condition, { maxLength: 2 }), { maxLength: 5 })

  assert(
    property(conditions, option(constantFrom('reversed')), facts, (given, order, asked) => {
      const rules = given.map((each, index) => ({ priority: index + 1, conditions: each, action }))
      const found = compileRules(order === 'reversed' ? rules.toReversed() : rules, action)(asked).priority

      const wanted = rules.find((rule) => rule.conditions.every((each) => naiveMatch(each, asked)))
      expect(found).toBe(wanted?.priority)
    }),
    { numRuns: 1_000 },
  )
})

test('a pattern full of stars does not take long over a long text', ({ expect }) => {
  const matches = compilePattern(`${'*a'.repeat(40)}b`)

  expect(matches('a'.repeat(16_000))).toBe(false)
})

function naiveMatch(condition: Condition, facts: RequestFacts): boolean {
  switch (condition.field) {
    case 'host-header':
      return condition.values.some((value) => toRegExp(value, 'i').test(facts.host))
    case 'path-pattern':
      return condition.values.some((value) => toRegExp(value).test(facts.path))
    case 'http-request-method':
      return condition.values.includes(facts.method)
    case 'http-header':
      return false
  }
}

function toRegExp(pattern: string, flags = ''): RegExp {
  return new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, `s${flags}`)
}
