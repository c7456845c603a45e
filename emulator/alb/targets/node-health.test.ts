import { createServer } from 'node:http'
import { test } from 'vitest'
import { createTargetOf } from '../../tests/test-balancer.ts'
import { createPatient, createTestTargetGroup } from '../../tests/test-target-group.ts'

const INTERVAL_MS = 30_000
const DESCRIPTION = 'Health checks failed with these codes: [503]'

test('every node checks every target for itself, and routes by what it has seen', async ({
  expect,
  onTestFinished,
}) => {
  const { group, register, picks, clock, events } = createTestTargetGroup({ onTestFinished, zones: ['a', 'b'] })
  let checks = 0
  let isBroken = false
  // The nodes take turns: the second one meets the failure.
  const server = createServer((_, response) => {
    checks += 1
    response.writeHead(isBroken && checks % 2 === 0 ? 503 : 200).end()
  })
  await register(createTargetOf('one', server), createPatient('two'))
  expect(checks).toBe(2)
  isBroken = true

  await clock.advance(2 * INTERVAL_MS)

  expect(checks).toBe(6)
  expect(picks(4, 0)).toEqual(['one', 'two', 'one', 'two'])
  expect(picks(4, 1)).toEqual(['two', 'two', 'two', 'two'])
  expect(group.describeHealth()[0]?.health).toMatchObject({ state: 'unhealthy', description: DESCRIPTION })
  expect(events.of('alb.target-health').map(({ target, state }) => `${target} ${state}`)).toEqual([
    'one initial',
    'two initial',
    'one healthy',
    'two healthy',
    'one unhealthy',
  ])
})

test('below the least number or part of healthy targets all of them get requests', async ({
  expect,
  onTestFinished,
}) => {
  for (const [minimumHealthy, failsOpen] of [
    [{ count: 1 }, false],
    [{ count: 2 }, false],
    [{ count: 3 }, true],
    [{ percentage: 50 }, false],
    [{ percentage: 51 }, true],
    [{ count: 1, percentage: 100 }, true],
  ] as const) {
    const { group, register, picks } = createTestTargetGroup({ onTestFinished, minimumHealthy })
    const ill = ['three', 'four'].map((id) => createPatient(id, { isHealthy: () => false }))
    await register(createPatient('one'), createPatient('two'), ...ill)

    const label = JSON.stringify(minimumHealthy)
    expect(group.explain(0).isFailOpen, label).toBe(failsOpen)
    expect(new Set(picks(4)).size, label).toBe(failsOpen ? 4 : 2)
  }
})

test('with cross-zone off a node uses the targets of its own zone, and counts those for failing open', async ({
  expect,
  onTestFinished,
}) => {
  const { group, register, picks } = createTestTargetGroup({
    onTestFinished,
    zones: ['a', 'b', 'c'],
    isCrossZone: false,
  })

  await register(
    createPatient('one', { zone: 'a' }),
    createPatient('two', { zone: 'b', isHealthy: () => false }),
    createPatient('three', { zone: 'a', isHealthy: () => false }),
  )

  expect(picks(2, 0)).toEqual(['one', 'one'])
  expect(picks(2, 1)).toEqual(['two', 'two'])
  expect(picks(1, 2)).toEqual(['none'])
  expect([0, 1, 2].map((node) => group.explain(node).isFailOpen)).toEqual([false, true, false])
})

test('a target in a zone without a node is unused: not checked, and sent nothing', async ({
  expect,
  onTestFinished,
}) => {
  const { group, register, picks } = createTestTargetGroup({ onTestFinished })
  let checks = 0
  const elsewhere = createPatient('two', { zone: 'b', isHealthy: () => (checks += 1) > 0 })

  await register(createPatient('one'), elsewhere)

  expect(group.describeHealth()[1]?.health).toMatchObject({
    state: 'unused',
    reason: 'Target.NotInUse',
    description: 'Target is in an Availability Zone that is not enabled for the load balancer',
  })
  expect(await group.firstCheck('two')).toMatchObject({ passed: false, reason: 'Target.NotInUse' })
  expect(picks(2)).toEqual(['one', 'one'])
  expect(checks).toBe(0)
})

test('the targets of a lost zone time out for the other nodes, and are back when it is', async ({
  expect,
  onTestFinished,
}) => {
  const { group, zones, register, picks, clock } = createTestTargetGroup({ onTestFinished, zones: ['a', 'b'] })
  await register(createPatient('one', { zone: 'a' }), createPatient('two', { zone: 'b' }))

  zones.lose('b')
  const before = picks(2)
  await clock.advance(2 * INTERVAL_MS + 5_000)

  expect(before.toSorted()).toEqual(['one', 'two'])
  expect(picks(2)).toEqual(['one', 'one'])
  expect(group.describeHealth().map(({ health }) => health)).toMatchObject([
    { state: 'healthy' },
    { state: 'unhealthy', reason: 'Target.Timeout', description: 'Request timed out' },
  ])
  zones.restore('b')
  await clock.advance(4 * INTERVAL_MS)
  expect(picks(2).toSorted()).toEqual(['one', 'two'])
})

test('the node of a zone whose targets are all unhealthy leaves DNS, not one whose zone has none', async ({
  expect,
  onTestFinished,
}) => {
  const { group, zones, register, clock } = createTestTargetGroup({ onTestFinished, zones: ['a', 'b', 'c'] })
  let isHealthy = true
  const ill = createPatient('two', { zone: 'b', isHealthy: () => isHealthy })
  await register(createPatient('one', { zone: 'a' }), ill)
  const inDns = (): boolean[] => [0, 1, 2].map((node) => zones.isInDns(node))
  await clock.advance(60_000)
  const before = inDns()
  isHealthy = false

  await clock.advance(2 * INTERVAL_MS + 60_000)

  expect([before, inDns()]).toEqual([
    [true, true, true],
    [true, false, true],
  ])
  group.deregister('two')
  expect(inDns()).toEqual([true, true, true])
})
