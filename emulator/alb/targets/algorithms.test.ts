import { test } from 'vitest'
import { countOf, createPatient, createResponse, createTestTargetGroup } from '../../tests/test-target-group.ts'

const INTERVAL_MS = 30_000

test('round robin: each node goes around for itself, and starts at a place of its own', async ({
  expect,
  onTestFinished,
}) => {
  const { register, picks } = createTestTargetGroup({ onTestFinished, zones: ['a', 'b'] })
  await register(createPatient('one'), createPatient('two'), createPatient('three'))

  expect(picks(4, 0)).toEqual(['one', 'two', 'three', 'one'])
  expect(picks(4, 1)).toEqual(['two', 'three', 'one', 'two'])
  expect(picks(2, 0)).toEqual(['two', 'three'])
})

test('least outstanding requests: the target with the fewest requests and open sockets, in turn among equals', async ({
  expect,
  onTestFinished,
}) => {
  const { group, register, picks } = createTestTargetGroup({
    onTestFinished,
    algorithm: 'least_outstanding_requests',
  })
  await register(createPatient('one'), createPatient('two'), createPatient('three'))
  expect(picks(3).toSorted()).toEqual(['one', 'three', 'two'])

  const held = [group.pick(0, undefined), group.pick(0, undefined)]
  held[0]?.responses.add(createResponse())
  const second = group.pick(0, undefined)
  second?.sockets.add({ cut: () => undefined })
  const third = new Set(picks(6))

  expect(second?.target.id).not.toBe(held[0]?.target.id)
  expect([...third]).toHaveLength(1)
  expect(third).not.toContain(held[0]?.target.id)
  expect(third).not.toContain(second?.target.id)
})

test('weighted random: alike for all, in no order', async ({ expect, onTestFinished }) => {
  const { register, picks } = createTestTargetGroup({ onTestFinished, algorithm: 'weighted_random' })
  await register(createPatient('one'), createPatient('two'), createPatient('three'))

  const seen = picks(3_000)

  for (const id of ['one', 'two', 'three']) {
    expect(countOf(seen, id)).toBeGreaterThan(800)
    expect(countOf(seen, id)).toBeLessThan(1_200)
  }
  const repeats = seen.filter((id, index) => id === seen[index + 1]).length
  expect(repeats).toBeGreaterThan(500)
})

test('no algorithm finds a target where there is none', async ({ expect, onTestFinished }) => {
  for (const algorithm of ['round_robin', 'least_outstanding_requests', 'weighted_random'] as const) {
    expect(createTestTargetGroup({ onTestFinished, algorithm }).picks(1)).toEqual(['none'])
  }
})

test('a request’s place in the rotation outlives a change of the targets', async ({ expect, onTestFinished }) => {
  const { group, register, picks, clock } = createTestTargetGroup({ onTestFinished })
  let isHealthy = true
  await register(createPatient('one'), createPatient('two', { isHealthy: () => isHealthy }), createPatient('three'))
  picks(2)

  isHealthy = false
  await clock.advance(INTERVAL_MS * 2)

  expect(picks(4)).toEqual(['one', 'three', 'one', 'three'])
  expect(group.explain(0)).toEqual({ algorithm: 'round_robin', routable: ['one', 'three'], isFailOpen: false })
})
