import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'vitest'
import { systemClock } from '../../../services/wire/clock.ts'
import { createBalancerIntrospection } from '../../alb/explain/introspection.ts'
import { createMetrics } from '../../alb/metrics/metrics.ts'
import { createAwsNames } from '../../alb/names.ts'
import { loadSettings } from '../../config/settings.ts'
import { openStateDir } from '../../core/state-dir.ts'
import { createTarget, get, register, startTestBalancer } from '../../tests/test-balancer.ts'
import type { CommandContext } from '../command.ts'
import { run as runMetrics } from './metrics.ts'
import { run as runRoute } from './route.ts'
import { createRegistry } from '../../tests/test-registry.ts'
import { testTerminal } from '../../tests/test-terminal.ts'

/** A balancer that tells of itself as one in an environment does, and the folder in which commands find it. */
async function startTold(onTestFinished: TestContext['onTestFinished']) {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-metrics-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const { balancer, port, events, clock } = await startTestBalancer({ onTestFinished })
  const metrics = createMetrics({
    clock,
    names: createAwsNames({ name: 'test', region: 'us-west-2', accountId: '000000000000' }),
    zones: ['a'],
    healthOf: (group) => balancer.targetGroup(group).describeHealth(),
  })
  events.read(metrics.observe)
  const handlers = createBalancerIntrospection(() => ({ balancer, metrics }))
  const server = createServer((request, response) => {
    handlers.get(new URL(request.url ?? '', 'http://a').pathname)?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const state = await openStateDir({ baseDir: folder, name: 'default' })
  onTestFinished(() => state.release())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await state.writeRegistry(createRegistry({ variables: { AWS_ENDPOINT_URL: url } }))

  const say = async (run: typeof runMetrics, context: Pick<CommandContext, 'args' | 'options'>): Promise<string> => {
    const written = testTerminal()
    const settings = loadSettings({ ALDEA_STATE_DIR: folder }, folder)
    await run({ ...context, settings, terminal: written.terminal, clock: systemClock })
    return written.out
  }
  return { balancer, port, say }
}

test('metrics prints a line for each datapoint of the balancer, and of its groups and zones when asked', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, say } = await startTold(onTestFinished)
  expect(await say(runMetrics, { args: [], options: {} })).toBe('Nothing was counted.\n')
  await register(balancer, 'web', [createTarget('one', (_, response) => response.end('ok'))])
  await get(port, '/')
  await get(port, '/')

  const whole = await say(runMetrics, { args: [], options: { minutes: '1' } })
  expect(whole).toMatch(/^00:00 {2}RequestCount +2$/m)
  expect(whole).toMatch(/^00:00 {2}TargetResponseTime +average \d\.\d{3} s, p50 /m)
  expect(whole).not.toContain('HealthyHostCount')
  const hosts = await say(runMetrics, { args: [], options: { all: true, metric: 'HealthyHostCount' } })
  expect(hosts).toBe('00:00  HealthyHostCount  web    0 to 1\n00:00  HealthyHostCount  web a  0 to 1\n')
  const json = JSON.parse(
    await say(runMetrics, { args: [], options: { json: true, metric: 'RequestCount' } }),
  ) as object[]
  expect(json).toMatchObject([
    { metric: 'RequestCount', sum: 2, dimensions: { LoadBalancer: expect.anything() as string } },
  ])
})

test('route asks the environment that runs, and says which targets there are', async ({ expect, onTestFinished }) => {
  const { balancer, port, say } = await startTold(onTestFinished)
  await register(balancer, 'web', [createTarget('one', (_, response) => response.end('ok'))])

  const text = await say(runRoute, { args: ['GET', `http://api.localhost:${port}/x`], options: {} })
  expect(text).toContain('target group web\n  one  a  healthy\n  node a chooses by round_robin from one\n')
  expect(text).not.toContain('No environment is running')
})
