import { once } from 'node:events'
import { type IncomingMessage, createServer } from 'node:http'
import { test } from 'vitest'
import {
  START_MS,
  createDeferred,
  createTarget,
  createTargetOf,
  exchangeRaw,
  healthCheck,
  openSocket,
  readUntil,
  register,
  startTestBalancer,
} from '../../tests/test-balancer.ts'
import type { Target, TargetHealth } from '../model.ts'
import type { TargetGroup } from './target-group.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const INTERVAL_MS = healthCheck.intervalSeconds * 1000
const TIMEOUT_MS = healthCheck.timeoutSeconds * 1000

/** A target whose health check answers what `health.status` says; `undefined` answers nothing. */
function createPatient(
  id: string,
  first: number | undefined,
): { target: Target; health: { status: number | undefined } } {
  const health = { status: first }
  const server = createServer((request, response) => {
    if (request.url !== '/health') return void response.end(id)
    if (health.status !== undefined) response.writeHead(health.status).end()
  })
  return { target: createTargetOf(id, server), health }
}

function healthOf(group: TargetGroup, id: string): TargetHealth | undefined {
  return group.describeHealth().find(({ target }) => target.id === id)?.health
}

test('the check is the request that real targets see', async ({ expect, onTestFinished }) => {
  const { balancer } = await startTestBalancer({ onTestFinished })
  const seen = createDeferred<IncomingMessage>()
  const server = createServer((request, response) => {
    seen.resolve(request)
    response.end()
  })

  await register(balancer, 'web', [createTargetOf('one', server)])

  const { method, url, httpVersion, rawHeaders } = await seen.promise
  expect({ method, url, httpVersion, rawHeaders }).toEqual({
    method: 'GET',
    url: '/health',
    httpVersion: '1.1',
    rawHeaders: [
      ['Host', 'one'],
      ['Connection', 'close'],
      ['User-Agent', 'ELB-HealthChecker/2.0'],
      ['Accept-Encoding', 'gzip, compressed'],
    ].flat(),
  })
})

test('a new target is healthy after its first pass, at once', async ({ expect, onTestFinished }) => {
  const { balancer, events } = await startTestBalancer({ onTestFinished })
  const group = balancer.targetGroup('web')
  const { target } = createPatient('one', 200)

  group.register(target)
  const before = healthOf(group, 'one')
  await group.firstCheck('one')

  expect(before).toEqual({
    state: 'initial',
    since: START_MS,
    reason: 'Elb.InitialHealthChecking',
    description: 'Initial health checks in progress',
  })
  expect(healthOf(group, 'one')).toEqual({ state: 'healthy', since: START_MS })
  expect(events.of('alb.target-health').map(({ state, reason }) => [state, reason])).toEqual([
    ['initial', 'Elb.InitialHealthChecking'],
    ['healthy', ''],
  ])
})

test('thresholds count runs of failures and, for a target that recovers, of passes', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, clock } = await startTestBalancer({ onTestFinished })
  const group = balancer.targetGroup('web')
  const { target, health } = createPatient('one', 200)
  await register(balancer, 'web', [target])
  const states: (string | undefined)[] = []

  for (const status of [503, 200, 503, 503, 503, 200, 200, 503, 200, 200, 200, 200]) {
    health.status = status
    await clock.advance(INTERVAL_MS)
    await clock.advance(0)
    states.push(healthOf(group, 'one')?.state)
  }

  expect(states.map((state) => state?.slice(0, 1)).join('')).toBe('hhhuuuuuuuhh')
})

test('an unhealthy target says since when and why', async ({ expect, onTestFinished }) => {
  const { balancer, clock } = await startTestBalancer({ onTestFinished })
  const { target } = createPatient('one', 503)
  await register(balancer, 'web', [target])

  await clock.advance(2 * INTERVAL_MS)

  expect(healthOf(balancer.targetGroup('web'), 'one')).toEqual({
    state: 'unhealthy',
    since: START_MS + INTERVAL_MS,
    reason: 'Target.ResponseCodeMismatch',
    description: 'Health checks failed with these codes: [503]',
  })
})

test('a target that does not answer in time fails the check', async ({ expect, onTestFinished }) => {
  const { balancer, clock } = await startTestBalancer({ onTestFinished })
  const group = balancer.targetGroup('web')
  const { target, health } = createPatient('one', 200)
  await register(balancer, 'web', [target])
  health.status = undefined

  await clock.advance(2 * INTERVAL_MS + TIMEOUT_MS - 1)
  const before = healthOf(group, 'one')?.state
  await clock.advance(1)

  expect(before).toBe('healthy')
  expect(healthOf(group, 'one')).toEqual({
    state: 'unhealthy',
    since: START_MS + 2 * INTERVAL_MS + TIMEOUT_MS,
    reason: 'Target.Timeout',
    description: 'Request timed out',
  })
})

test('a killed target fails its checks, and throwing at one is a failure of the target only', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, clock } = await startTestBalancer({ onTestFinished })
  const group = balancer.targetGroup('web')
  const killed = createTarget('killed', () => undefined)
  const thrower = createTargetOf(
    'thrower',
    createServer(() => {
      throw new Error('broken')
    }),
  )
  await register(balancer, 'web', [killed, thrower])
  killed.kill()

  await clock.advance(2 * INTERVAL_MS)

  const failed = { state: 'unhealthy', reason: 'Target.FailedHealthChecks', description: 'Health checks failed' }
  expect(healthOf(group, 'killed')).toMatchObject(failed)
  expect(healthOf(group, 'thrower')).toMatchObject(failed)
})

test('requests go to healthy targets only, and to all when there is none', async ({ expect, onTestFinished }) => {
  const { balancer, port, clock } = await startTestBalancer({ onTestFinished })
  const one = createPatient('one', 200)
  const two = createPatient('two', 200)
  await register(balancer, 'web', [one.target, two.target])
  const ask = async (): Promise<string[]> => {
    const answers: string[] = []
    for (let count = 0; count < 4; count += 1) answers.push((await exchangeRaw(port, GET, onTestFinished)).slice(-3))
    return answers.toSorted()
  }

  const bothHealthy = await ask()
  one.health.status = 500
  await clock.advance(2 * INTERVAL_MS)
  const oneIll = await ask()
  two.health.status = 500
  await clock.advance(2 * INTERVAL_MS)
  const bothIll = await ask()

  expect({ bothHealthy, oneIll, bothIll }).toEqual({
    bothHealthy: ['one', 'one', 'two', 'two'],
    oneIll: ['two', 'two', 'two', 'two'],
    bothIll: ['one', 'one', 'two', 'two'],
  })
})

test('a deregistered target gets nothing new, ends what it has, and is unused after the delay', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, clock, events } = await startTestBalancer({ onTestFinished })
  const group = balancer.targetGroup('web')
  const begun = createDeferred<() => void>()
  const old = createTarget('old', (_, response) => begun.resolve(() => void response.end('old')))
  await register(balancer, 'web', [old])
  const inFlight = exchangeRaw(port, GET, onTestFinished)
  const finish = await begun.promise

  group.deregister('old')

  expect(await exchangeRaw(port, GET, onTestFinished)).toContain('503 Service Temporarily Unavailable')
  const fresh = createTarget('new', (_, response) => response.end('new'))
  await register(balancer, 'web', [fresh])
  expect(await exchangeRaw(port, GET, onTestFinished)).toMatch(/new$/)
  finish()
  expect(await inFlight).toMatch(/old$/)
  expect(healthOf(group, 'old')).toEqual({
    state: 'draining',
    since: START_MS,
    reason: 'Target.DeregistrationInProgress',
    description: 'Target deregistration is in progress',
  })
  await clock.advance(300_000)
  expect(group.describeHealth().map(({ target }) => target.id)).toEqual(['new'])
  expect(events.of('alb.target-health').at(-1)).toMatchObject({ target: 'old', state: 'unused' })
})

test('what is still in flight when the deregistration delay ends is cut, sockets included', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, clock } = await startTestBalancer({
    onTestFinished,
    targetGroups: [{ name: 'web', healthCheck, deregistrationDelaySeconds: 20 }],
  })
  const begun = createDeferred<void>()
  const server = createServer((request, response) => {
    if (request.url === '/health') response.end()
    else begun.resolve()
  })
  server.on('upgrade', (_, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  await register(balancer, 'web', [createTargetOf('old', server)])
  const socket = await openSocket(port, onTestFinished)
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await readUntil(socket, '\r\n\r\n')
  const inFlight = exchangeRaw(port, GET, onTestFinished)
  await begun.promise

  balancer.targetGroup('web').deregister('old')
  await clock.advance(19_999)
  const wasOpen = !socket.closed
  const closed = once(socket.resume(), 'close')
  await clock.advance(1)

  await closed
  expect(wasOpen).toBe(true)
  expect(await inFlight).toContain('502 Bad Gateway')
})

test('a draining target that is registered again starts anew', async ({ expect, onTestFinished }) => {
  const { balancer, clock } = await startTestBalancer({ onTestFinished })
  const group = balancer.targetGroup('web')
  const { target } = createPatient('one', 200)
  await register(balancer, 'web', [target])

  group.deregister('one')
  await register(balancer, 'web', [target])
  await clock.advance(300_000)

  expect(healthOf(group, 'one')).toEqual({ state: 'healthy', since: START_MS })
})

test('registering twice changes nothing, and asking for an unknown target fails', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, events } = await startTestBalancer({ onTestFinished })
  const group = balancer.targetGroup('web')
  const { target } = createPatient('one', 200)
  await register(balancer, 'web', [target])

  group.register(target)
  group.deregister('unknown')

  expect(events.of('alb.target-health')).toHaveLength(2)
  await expect(group.firstCheck('unknown')).rejects.toThrow('unknown is not registered in web.')
  expect(() => balancer.targetGroup('other')).toThrow('test has no target group other.')
})
