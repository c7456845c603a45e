import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { type TestContext, test } from 'vitest'
import { createTarget, forwardTo, get, healthCheck, register, startTestBalancer } from '../../tests/test-balancer.ts'
import { createMetrics } from '../metrics/metrics.ts'
import type { Rule } from '../model.ts'
import { createAwsNames } from '../names.ts'
import type { RequestExplanation } from './explain-request.ts'
import { type BalancerParts, METRICS_PATH, ROUTE_PATH, createBalancerIntrospection } from './introspection.ts'

const rules: Rule[] = [
  {
    priority: 5,
    conditions: [{ field: 'path-pattern', values: ['/old/*'] }],
    action: forwardTo('web'),
    transforms: [{ type: 'url-rewrite', regex: '^/old/(.*)$', replace: '/new/$1' }],
  },
  {
    priority: 6,
    conditions: [{ field: 'query-string', values: [{ key: 'to', value: 'https' }] }],
    action: { type: 'redirect', statusCode: 301, protocol: 'HTTPS', port: '443' },
  },
  {
    priority: 7,
    conditions: [{ field: 'http-request-method', values: ['PUT'] }],
    action: {
      type: 'forward',
      targetGroups: [
        { targetGroup: 'web', weight: 9 },
        { targetGroup: 'empty', weight: 1 },
      ],
    },
  },
  { priority: 8, conditions: [{ field: 'path-pattern', values: ['/empty'] }], action: forwardTo('empty') },
]

async function start(onTestFinished: TestContext['onTestFinished']) {
  const targetGroups = ['web', 'empty'].map((name) => ({ name, healthCheck }))
  const { balancer, clock, events, port } = await startTestBalancer({ onTestFinished, rules, targetGroups })
  const metrics = createMetrics({
    clock,
    names: createAwsNames({ name: 'test', region: 'us-west-2', accountId: '000000000000' }),
    zones: ['a'],
    healthOf: (group) => balancer.targetGroup(group).describeHealth(),
  })
  events.read(metrics.observe)
  let parts: BalancerParts | undefined = { balancer, metrics }
  const handlers = createBalancerIntrospection(() => parts)
  const server = createServer((request, response) => {
    handlers.get(new URL(request.url ?? '', 'http://a').pathname)?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const explain = async (method: string, path: string): Promise<RequestExplanation> => {
    const body = JSON.stringify({ protocol: 'http', method, url: path, headers: { Host: 'a.example' } })
    const response = await fetch(url + ROUTE_PATH, { method: 'POST', body })
    return (await response.json()) as RequestExplanation
  }
  return { balancer, port, url, explain, leave: () => (parts = undefined) }
}

test('a request is explained by the targets there are, and none is sent', async ({ expect, onTestFinished }) => {
  const { balancer, port, explain } = await start(onTestFinished)
  const seen: (string | undefined)[] = []
  const target = createTarget('one', (request, response) => {
    seen.push(request.url)
    response.end()
  })
  await register(balancer, 'web', [target])

  expect(await explain('GET', '/old/page?x=1')).toMatchObject({
    action: 'forward to web',
    rules: ['5 matched: forward to web', '6 not reached', '7 not reached', '8 not reached', 'default not reached'],
    targetGroups: [
      {
        name: 'web',
        targets: [{ id: 'one', zone: 'a', health: 'healthy' }],
        routing: ['node a chooses by round_robin from one'],
      },
    ],
    headers: expect.arrayContaining([
      '~url: /new/page?x=1',
      `~host: a.example:${port}`,
      '+x-forwarded-for: 127.0.0.1',
    ]) as string[],
  })
  expect(seen).toEqual([])
})

test('what the balancer would answer itself is said', async ({ expect, onTestFinished }) => {
  const { explain } = await start(onTestFinished)
  expect(await explain('GET', '/?to=https')).toMatchObject({
    answer: '301 to https://a.example:443/?to=https',
    headers: [],
  })
  expect((await explain('GET', '/empty')).answer).toMatch(/^503: the target group has no target/)
  expect(await explain('PUT', '/')).toMatchObject({
    action: 'forward to web (9) or empty (1)',
    targetGroups: [
      { name: 'web', weight: 9 },
      { name: 'empty', weight: 1 },
    ],
  })
})

test('datapoints are told by minute', async ({ expect, onTestFinished }) => {
  const { port, url } = await start(onTestFinished)
  await get(port, '/empty')
  const response = await fetch(`${url}${METRICS_PATH}?minutes=1`)
  const { datapoints } = (await response.json()) as { datapoints: readonly object[] }
  expect(datapoints).toContainEqual(expect.objectContaining({ metric: 'HTTPCode_ELB_503_Count', sum: 1 }))
})

test('what makes no sense is refused, and before the balancer is there nothing is known', async ({
  expect,
  onTestFinished,
}) => {
  const { url, leave } = await start(onTestFinished)
  const ask = async (path: string, init?: RequestInit): Promise<number> => (await fetch(url + path, init)).status
  expect(await ask(`${METRICS_PATH}?minutes=x`)).toBe(400)
  expect(await ask(ROUTE_PATH, { method: 'POST', body: '{"method":"GET"}' })).toBe(400)
  expect(await ask(ROUTE_PATH, { method: 'POST', body: 'no JSON' })).toBe(400)
  leave()
  expect(await ask(METRICS_PATH)).toBe(503)
  expect(await ask(ROUTE_PATH, { method: 'POST', body: '{}' })).toBe(503)
})
