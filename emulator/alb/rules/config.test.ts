import { describe, test } from 'vitest'
import { forwardTo, healthCheck, startTestBalancer } from '../../tests/test-balancer.ts'
import type { Action, Condition, ListenerConfig, LoadBalancerConfig, RedirectAction, Transform } from '../model.ts'
import { assertLoadBalancerConfig, checkRules } from './config.ts'

test('a configuration that cannot work is refused with all that is wrong', async ({ expect, onTestFinished }) => {
  const started = startTestBalancer({
    onTestFinished,
    zones: [],
    rules: [
      { priority: 0, conditions: [], action: forwardTo('web') },
      { priority: 7, conditions: [], action: forwardTo('nowhere') },
      { priority: 7, conditions: [], action: forwardTo('web') },
    ],
    targetGroups: [
      { name: 'web', healthCheck },
      { name: 'web', healthCheck },
    ],
  })

  await expect(started).rejects.toMatchObject({
    code: 'ALDEA_CONFIG_INVALID',
    message:
      'The load balancer test cannot run. ValidationError: At least one subnet must be specified; ' +
      "DuplicateTargetGroupName: A target group with the same name 'web' exists, but with different settings; " +
      "PriorityInUse: Priority '7' is currently in use; " +
      "ValidationError: 1 validation error detected: Value '0' at 'priority' failed to satisfy constraint: " +
      'Member must have value greater than or equal to 1; ' +
      "TargetGroupNotFound: Target group 'nowhere' not found.",
  })
})

const targetGroups = ['web', 'new', 'c', 'd', 'e', 'f'].map((name) => ({ name, healthCheck }))
const http = { protocol: 'http', port: 80 } as const

/** Codes and messages for a rule with the condition. */
function refusalsOf(...conditions: readonly Condition[]): string[] {
  const rules = [{ priority: 1, conditions, action: forwardTo('web') }]
  return checkRules({ rules, defaultAction: forwardTo('web') }, { targetGroups, origin: http }).map(
    ({ code, message }) => `${code}: ${message}`,
  )
}

const host = (...values: readonly string[]): Condition => ({ field: 'host-header', values })
const path = (...values: readonly string[]): Condition => ({ field: 'path-pattern', values })
const header = (name: string, ...values: readonly string[]): Condition => ({ field: 'http-header', name, values })
const method = (...values: readonly string[]): Condition => ({ field: 'http-request-method', values })
const source = (...values: readonly string[]): Condition => ({ field: 'source-ip', values })
const query = (key: string, value: string): Condition => ({ field: 'query-string', values: [{ key, value }] })

describe('a condition', () => {
  test.for<[Condition[], string]>([
    [[host()], 'A condition value must be specified'],
    [[host('example')], "Condition value 'example' must contain at least one '.'"],
    [[host('example.com:8443')], "Condition value 'example.com:8443' contains a character that is not valid"],
    [[host('example.c0m')], "Condition value 'example.c0m' may contain only letters after the last '.'"],
    [[host(`${'a'.repeat(125)}.com`)], "The 'host-header' value is too long; the limit is '128'"],
    [[path('/a b')], "Condition value '/a b' contains a character that is not valid"],
    [[path(`/${'a'.repeat(128)}`)], "The 'path-pattern' value is too long; the limit is '128'"],
    [[header('Host', 'x')], "Use a 'host-header' condition for the header 'Host'"],
    [[header('X-A*:', 'x')], "Condition value 'X-A*:' contains a character that is not valid"],
    [[header('X'.repeat(41), 'x')], "The 'HttpHeaderName' value is too long; the limit is '40'"],
    [[header('X-A', 'é')], "Condition value 'é' contains a character that is not valid"],
    [[method('get')], "Condition value 'get' contains a character that is not valid"],
    [[method('A'.repeat(41))], "The 'http-request-method' value is too long; the limit is '40'"],
    [[query('k'.repeat(129), 'v')], "The 'query-string' value is too long; the limit is '128'"],
    [[query('é', 'long')], "Condition value 'é' contains a character that is not valid"],
    [[source('10.0.0.0')], "Condition value '10.0.0.0' is not a valid CIDR block"],
    [[source('10.0.0.0/33')], "Condition value '10.0.0.0/33' is not a valid CIDR block"],
    [[source('255.255.255.255/32')], "Condition value '255.255.255.255/32' is not a valid CIDR block"],
    [[path('/a'), path('/b')], "A rule can only have one 'path-pattern' condition"],
    [[path('/a', '/b', '/c'), method('A', 'B', 'C')], "A rule can only have '5' condition values"],
    [[path('/*/*/*'), query('*', '**')], "A rule can only have '5' condition wildcards"],
    [
      [{ field: 'path-pattern', regexValues: ['(?=a)'] }],
      "The regular expression '(?=a)' is not valid: (?=a is not supported",
    ],
    [
      [{ field: 'path-pattern', values: ['/a'], regexValues: ['^/b'] }],
      "You cannot provide both Values and RegexValues for a condition of type 'path-pattern'",
    ],
  ])('%j is refused: %s', ([conditions, message], { expect }) => {
    expect(refusalsOf(...conditions)).toEqual([`ValidationError: ${message}`])
  })

  test('may use every limit to the full', ({ expect }) => {
    expect(refusalsOf(host('*.example.com'), path('/?/*', '/*', '/~a'), query('\\*', '*'))).toEqual([])
    expect(refusalsOf(source('::/0', '10.0.0.0/8'), method('M-SEARCH'), header('x_a', 'b c'))).toEqual([])
  })
})

const redirect = (parts: Partial<RedirectAction>): Action => ({ type: 'redirect', statusCode: 301, ...parts })
const fixed = (statusCode: number, contentType: string, body: string): Action => ({
  type: 'fixed-response',
  statusCode,
  contentType,
  body,
})
const weighted = (...weights: readonly number[]): Action => ({
  type: 'forward',
  targetGroups: weights.map((weight, index) => ({ targetGroup: targetGroups[index]?.name ?? '', weight })),
})
const outOfModel = (value: string | number, member: string, constraint: string): string =>
  `ValidationError: 1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ` +
  `Member must ${constraint}`

describe('an action', () => {
  const refusals = (action: Action, origin: { protocol: 'http' | 'https'; port: number } = http): string[] =>
    checkRules({ rules: [], defaultAction: action }, { targetGroups, origin }).map(
      ({ code, message }) => `${code}: ${message}`,
    )

  test.for<[Action, string]>([
    [redirect({}), 'InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop.'],
    [
      redirect({ protocol: 'HTTP', port: '80', host: '#{host}', path: '/#{path}', query: 'a=b' }),
      'InvalidLoadBalancerAction: The redirect configuration is not valid because it creates a loop.',
    ],
    [
      redirect({ path: 'a' }),
      outOfModel('a', 'redirectConfig.path', String.raw`satisfy regular expression pattern: ^\/[!-~]*$`),
    ],
    [
      redirect({ path: `/${'a'.repeat(128)}` }),
      outOfModel(`/${'a'.repeat(128)}`, 'redirectConfig.path', 'have length less than or equal to 128'),
    ],
    [
      fixed(302, 'text/plain', ''),
      outOfModel(302, 'fixedResponseConfig.statusCode', String.raw`satisfy regular expression pattern: ^(2|4|5)\d\d$`),
    ],
    [
      fixed(200, 'image/png', ''),
      "InvalidLoadBalancerAction: The ContentType must be one of: 'text/plain', 'text/css', 'text/html', " +
        "'application/javascript', 'application/json'",
    ],
    [weighted(), 'InvalidLoadBalancerAction: A forward action must have at least one target group'],
    [weighted(1, 1, 1, 1, 1, 1), "InvalidLoadBalancerAction: A forward action can only have '5' target groups"],
    [weighted(1000), outOfModel(1000, 'weight', 'have value less than or equal to 999')],
  ])('%j is refused', ([action, refusal], { expect }) => {
    expect(refusals(action)).toEqual([refusal])
  })

  test('does not lead from HTTPS back to HTTP', ({ expect }) => {
    expect(refusals(redirect({ protocol: 'HTTP', port: '80' }), { protocol: 'https', port: 443 })).toEqual([
      'InvalidLoadBalancerAction: The redirect configuration is not valid because it redirects from HTTPS to HTTP',
    ])
  })

  test('cannot choose among sticky target groups without being sticky itself', ({ expect }) => {
    const sticky = targetGroups.map((group) => ({
      ...group,
      stickiness: { type: 'lb_cookie', durationSeconds: 60 } as const,
    }))
    const [problem] = checkRules({ rules: [], defaultAction: weighted(1, 1) }, { targetGroups: sticky, origin: http })

    expect(problem?.code).toBe('InvalidConfigurationRequest')
  })
})

test('a rule takes one transform of each kind, with regular expressions that can be had', ({ expect }) => {
  const one: Transform = { type: 'url-rewrite', regex: '^/a', replace: '/b' }
  const listener = (...transforms: readonly Transform[]): Pick<ListenerConfig, 'rules' | 'defaultAction'> => ({
    rules: [{ priority: 1, conditions: [], action: forwardTo('web'), transforms }],
    defaultAction: forwardTo('web'),
  })
  const messages = (...transforms: readonly Transform[]): string[] =>
    checkRules(listener(...transforms), { targetGroups, origin: http }).map(({ message }) => message)

  expect(messages(one, { ...one, type: 'host-header-rewrite' })).toEqual([])
  expect(messages(one, one)).toEqual(["A rule can only have one 'url-rewrite' transform"])
  expect(messages({ ...one, regex: '(a' })).toEqual(["The regular expression '(a' is not valid: missing )"])
})

test('attributes have the ranges of AWS', ({ expect }) => {
  const config = (changes: Partial<LoadBalancerConfig>): LoadBalancerConfig => ({
    name: 'test',
    zones: ['a'],
    listeners: [],
    targetGroups: [],
    ...changes,
  })

  expect(() => assertLoadBalancerConfig(config({ attributes: { idleTimeoutSeconds: 4001 } }))).toThrow(
    "Value '4001' at 'idle_timeout.timeout_seconds' failed to satisfy constraint: " +
      'Member must have value less than or equal to 4000',
  )
  expect(() =>
    assertLoadBalancerConfig(config({ targetGroups: [{ name: 'web', healthCheck, slowStartSeconds: 29 }] })),
  ).toThrow("Value '29' at 'slow_start.duration_seconds'")
  expect(() =>
    assertLoadBalancerConfig(
      config({ targetGroups: [{ name: 'web', healthCheck: { ...healthCheck, timeoutSeconds: 30 } }] }),
    ),
  ).toThrow('Health check interval must be greater than the timeout.')
  expect(() =>
    assertLoadBalancerConfig(
      config({ targetGroups: [{ name: 'web', healthCheck: { ...healthCheck, matcher: '200-599' } }] }),
    ),
  ).toThrow("Value '200-599' at 'matcher.httpCode'")
  expect(() => assertLoadBalancerConfig(config({ attributes: { idleTimeoutSeconds: 4000 } }))).not.toThrow()
})
