import { type ServerResponse, createServer } from 'node:http'
import { describe, test } from 'vitest'
import {
  createDeferred,
  exchangeRaw,
  get,
  register,
  startNetworkTarget,
  startTestBalancer,
} from '../../tests/test-balancer.ts'
import { startPatient } from '../../tests/test-patient.ts'
import type { TargetGroupConfig } from '../model.ts'
import { TARGET_KINDS } from './testing.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const DELAY_SECONDS = 20
/** No check falls into the delay. */
const web: TargetGroupConfig = {
  name: 'web',
  deregistrationDelaySeconds: DELAY_SECONDS,
  healthCheck: { path: '/health', intervalSeconds: 30, timeoutSeconds: 5, healthyThreshold: 3, unhealthyThreshold: 2 },
}

describe.for(TARGET_KINDS)('draining, of a target %s', (kind) => {
  test('what is in flight ends well before the delay does, is a 502 after it, and nothing new comes', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, port, clock, events } = await startTestBalancer({ onTestFinished, targetGroups: [web] })
    const open: ServerResponse[] = []
    const arrived = createDeferred<void>()
    const old = await startPatient({
      kind,
      id: 'old',
      onTestFinished,
      answer(_, response) {
        open.push(response)
        if (open.length === 2) arrived.resolve()
      },
    })
    await register(balancer, 'web', [old.target])
    const both = [exchangeRaw(port, GET, onTestFinished), exchangeRaw(port, GET, onTestFinished)]
    await arrived.promise

    balancer.targetGroup('web').deregister('old')
    expect(await exchangeRaw(port, GET, onTestFinished)).toMatch(/^HTTP\/1\.1 503 /)
    open[0]?.end('in time')
    const first = await Promise.race(both)
    await clock.advance(DELAY_SECONDS * 1000)

    expect(first).toMatch(/in time$/)
    expect(
      (await Promise.all(both)).filter((answer) => answer.startsWith('HTTP/1.1 502 Bad Gateway\r\n')),
    ).toHaveLength(1)
    await expect.poll(() => events.of('alb.access').length).toBe(3)
    const failures = events.of('alb.access').map(({ access }) => [access.status, access.failure])
    expect(failures).toEqual([
      [503, 'no-targets'],
      [200, undefined],
      [502, 'deregistration-delay'],
    ])
  })
})

test('draining closes the idle connections to a network target at once', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished, targetGroups: [web] })
  const server = createServer((_, response) => response.end('old'))
  const target = await startNetworkTarget('old', server, onTestFinished)
  await register(balancer, 'web', [target])
  await get(port, '/')
  const open = (): number => target.connections.filter((socket) => !socket.closed).length
  await expect.poll(open).toBe(1)

  balancer.targetGroup('web').deregister('old')

  await expect.poll(open).toBe(0)
})
