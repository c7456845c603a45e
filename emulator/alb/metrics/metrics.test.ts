import { Agent, createServer } from 'node:http'
import { type TestContext, test } from 'vitest'
import { systemIds } from '../../../services/wire/ids.ts'
import { type VirtualClock, createVirtualClock } from '../../core/clock.ts'
import { createEventStream } from '../../core/events.ts'
import {
  START_MS,
  createDeferred,
  createTarget,
  createTargetOf,
  exchangeRaw,
  forwardTo,
  get,
  healthCheck,
  openSocket,
  readUntil,
  register,
} from '../../tests/test-balancer.ts'
import { type LoadBalancer, startLoadBalancer } from '../load-balancer.ts'
import type { Rule, TargetGroupConfig } from '../model.ts'
import { createAwsNames } from '../names.ts'
import { type Datapoint, type Metrics, createMetrics } from './metrics.ts'

const names = createAwsNames({ name: 'test', region: 'us-west-2', accountId: '000000000000' })

const rules: Rule[] = [
  {
    priority: 1,
    conditions: [{ field: 'path-pattern', values: ['/fixed'] }],
    action: { type: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: 'no' },
  },
  {
    priority: 2,
    conditions: [{ field: 'path-pattern', values: ['/moved'] }],
    action: { type: 'redirect', statusCode: 301, path: '/new' },
  },
  { priority: 3, conditions: [{ field: 'path-pattern', values: ['/empty'] }], action: forwardTo('empty') },
  { priority: 4, conditions: [{ field: 'path-pattern', values: ['/kept'] }], action: forwardTo('kept') },
]

const kept: TargetGroupConfig = {
  name: 'kept',
  healthCheck,
  stickiness: { type: 'lb_cookie', durationSeconds: 60 },
}

interface Measured {
  readonly balancer: LoadBalancer
  readonly port: number
  readonly clock: VirtualClock
  readonly metrics: Metrics
}

async function startMeasured(onTestFinished: TestContext['onTestFinished']): Promise<Measured> {
  const clock = createVirtualClock(START_MS)
  const events = createEventStream()
  const zones = ['a', 'b']
  const metrics = createMetrics({
    clock,
    names,
    zones,
    healthOf: (group) => balancer.targetGroup(group).describeHealth(),
  })
  events.read(metrics.observe)
  const balancer = await startLoadBalancer(
    {
      name: 'test',
      zones,
      listeners: [{ host: '127.0.0.1', port: 0, rules, defaultAction: forwardTo('web') }],
      targetGroups: [...['web', 'empty'].map((name) => ({ name, healthCheck })), kept],
    },
    { clock, ids: systemIds, events, observer: metrics },
  )
  onTestFinished(() => balancer.stop())
  return { balancer, port: balancer.listeners[0]?.port ?? 0, clock, metrics }
}

/** The sums of a metric, by what follows the balancer in its dimensions. */
function sumsOf(points: readonly Datapoint[], metric: string): Record<string, number> {
  const own = points.filter((point) => point.metric === metric)
  return Object.fromEntries(
    own.map(({ dimensions: { TargetGroup, AvailabilityZone }, sum }) => [
      [TargetGroup?.split('/')[1], AvailabilityZone].filter((each) => each !== undefined).join(' in ') || 'all',
      sum,
    ]),
  )
}

test('requests are counted as a whole, by zone, by target group and by both', async ({ expect, onTestFinished }) => {
  const { balancer, port, metrics } = await startMeasured(onTestFinished)
  await register(balancer, 'web', [
    createTarget('one', (request, response) => response.writeHead(request.url === '/missing' ? 404 : 200).end('ok')),
    createTarget('two', (request, response) => response.writeHead(request.url === '/missing' ? 404 : 200).end('ok')),
  ])
  // A connection each, and the nodes take them in turn.
  for (const path of ['/', '/', '/missing', '/empty', '/fixed', '/moved']) await get(port, path, { agent: new Agent() })

  const points = metrics.read()
  const sums = (metric: string): Record<string, number> => sumsOf(points, metric)
  expect(sums('RequestCount')).toEqual({ all: 3, a: 2, b: 1, web: 3, 'web in a': 2, 'web in b': 1 })
  expect(sums('HTTPCode_Target_2XX_Count')).toEqual({ all: 2, a: 1, b: 1, web: 2, 'web in a': 1, 'web in b': 1 })
  expect(sums('HTTPCode_Target_4XX_Count')).toEqual({ all: 1, a: 1, web: 1, 'web in a': 1 })
  expect(sums('HTTPCode_ELB_5XX_Count')).toEqual({ all: 1, b: 1 })
  expect(sums('HTTPCode_ELB_503_Count')).toEqual({ all: 1, b: 1 })
  expect(sums('HTTPCode_ELB_502_Count')).toEqual({})
  expect(sums('HTTPCode_ELB_4XX_Count')).toEqual({ all: 1, a: 1 })
  expect(sums('HTTP_Fixed_Response_Count')).toEqual({ all: 1, a: 1 })
  expect(sums('HTTPCode_ELB_3XX_Count')).toEqual({ all: 1, b: 1 })
  expect(sums('HTTP_Redirect_Count')).toEqual({ all: 1, b: 1 })
  expect(sums('NewConnectionCount')).toEqual({ all: 6, a: 3, b: 3 })
  expect(sums('RequestCountPerTarget')).toEqual({ web: 1.5 })
  expect(sums('ProcessedBytes')['all']).toBeGreaterThan(6 * 100)
  expect(points[0]?.dimensions.LoadBalancer).toBe(names.loadBalancer)
})

test('a time has seconds and percentiles', async ({ expect, onTestFinished }) => {
  const { balancer, port, clock, metrics } = await startMeasured(onTestFinished)
  const arrived = createDeferred<void>()
  let waiting = 0
  await register(balancer, 'web', [
    createTarget('one', (request, response) => {
      clock.after(Number(request.url?.slice(1)), () => response.end('ok'))
      waiting += 1
      if (waiting === 3) arrived.resolve()
    }),
  ])
  const answers = [100, 200, 4_000].map((ms) => get(port, `/${ms}`))
  await arrived.promise
  await clock.advance(5_000)
  await Promise.all(answers)
  const point = metrics.read().find(({ metric }) => metric === 'TargetResponseTime')
  expect(point).toMatchObject({ unit: 'Seconds', sampleCount: 3, minimum: 0.1, maximum: 4 })
  expect(point?.percentiles).toEqual({ p50: 0.2, p90: 4, p99: 4 })
})

test('each minute has its own counts, and nothing is written of one without requests', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, clock, metrics } = await startMeasured(onTestFinished)
  await register(balancer, 'web', [createTarget('one', (_, response) => response.end('ok'))])
  await get(port, '/')
  await clock.advance(2 * 60_000)
  await get(port, '/')
  await get(port, '/')

  const counts = metrics.read().filter(({ metric, dimensions }) => metric === 'RequestCount' && !dimensions.TargetGroup)
  const whole = counts.filter(({ dimensions }) => !dimensions.AvailabilityZone)
  expect(whole.map(({ at, sum }) => [at - START_MS, sum])).toEqual([
    [0, 1],
    [120_000, 2],
  ])
  expect(metrics.read(1).every(({ at }) => at === START_MS + 120_000)).toBe(true)
})

test('healthy and unhealthy hosts are counted every minute while there are any', async ({ expect, onTestFinished }) => {
  const { balancer, clock, metrics } = await startMeasured(onTestFinished)
  let status = 200
  const server = createServer((_, response) => response.writeHead(status).end())
  await register(balancer, 'web', [createTargetOf('one', server), createTarget('two', () => undefined)])
  await clock.advance(60_000)
  status = 500
  await clock.advance(120_000)
  balancer.targetGroup('web').deregister('two')

  const points = metrics.read()
  const ofGroup = (name: string) =>
    points
      .filter(({ metric, dimensions }) => metric === name && dimensions.TargetGroup && !dimensions.AvailabilityZone)
      .map(({ at, minimum, maximum }) => ({ minute: (at - START_MS) / 60_000, minimum, maximum }))
  expect(ofGroup('HealthyHostCount')).toEqual([
    { minute: 0, minimum: 0, maximum: 2 },
    { minute: 1, minimum: 2, maximum: 2 },
    { minute: 2, minimum: 1, maximum: 2 },
    { minute: 3, minimum: 0, maximum: 1 },
  ])
  expect(ofGroup('UnHealthyHostCount').at(-1)).toEqual({ minute: 3, minimum: 1, maximum: 1 })
})

test('open connections count in every minute they last, a refused target is a connection error', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, clock, metrics } = await startMeasured(onTestFinished)
  const target = createTarget('one', (_, response) => response.end('ok'))
  await register(balancer, 'web', [target])
  const socket = await openSocket(port, onTestFinished)
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await readUntil(socket, 'ok')
  await clock.advance(59_000)
  await clock.advance(1_500)
  target.kill()
  await get(port, '/', { agent: new Agent() })

  const points = metrics.read()
  const wholeOf = (name: string): number[] =>
    points
      .filter(({ metric, dimensions }) => metric === name && Object.keys(dimensions).length === 1)
      .map(({ sum }) => sum)
  expect(wholeOf('NewConnectionCount')).toEqual([1, 1])
  expect(wholeOf('ActiveConnectionCount')).toEqual([1, 2])
  expect(wholeOf('TargetConnectionErrorCount')).toEqual([1])
  expect(wholeOf('HTTPCode_ELB_502_Count')).toEqual([1])
})

test('requests that found no healthy target or no cookie are counted', async ({ expect, onTestFinished }) => {
  const { balancer, port, metrics } = await startMeasured(onTestFinished)
  const ill = createServer((request, response) => response.writeHead(request.url === '/health' ? 503 : 200).end())
  await register(balancer, 'kept', [createTargetOf('one', ill)])
  const ask = (cookie: string): Promise<string> =>
    exchangeRaw(port, `GET /kept HTTP/1.1\r\nHost: a\r\n${cookie}Connection: close\r\n\r\n`, onTestFinished)

  const answer = await ask('')
  await ask(`Cookie: ${/^Set-Cookie: (AWSALB=[^;]+)/m.exec(answer)?.[1]}\r\n`)

  await expect.poll(() => sumsOf(metrics.read(), 'RequestCount')['all']).toBe(2)
  const points = metrics.read()
  expect(sumsOf(points, 'UnhealthyRoutingRequestCount')).toMatchObject({ all: 2, kept: 2 })
  expect(sumsOf(points, 'NonStickyRequestCount')).toMatchObject({ all: 1, kept: 1 })
})
