import { test } from 'vitest'
import { countOf, createPatient, createTestTargetGroup } from '../../tests/test-target-group.ts'

const SLOW_START_SECONDS = 120
const DURATION_MS = SLOW_START_SECONDS * 1000
const slow = {
  slowStartSeconds: SLOW_START_SECONDS,
  healthCheck: { path: '/health', intervalSeconds: 300, timeoutSeconds: 5, healthyThreshold: 2, unhealthyThreshold: 2 },
}

test('the share of a new target grows linearly from nothing to that of the others', async ({
  expect,
  onTestFinished,
}) => {
  const { register, picks, clock } = createTestTargetGroup({ onTestFinished, ...slow })
  await register(createPatient('old'), createPatient('older'))
  await register(createPatient('new'))
  const shares: number[] = []

  for (const part of [0, 0.25, 0.25, 0.25, 0.25]) {
    await clock.advance(DURATION_MS * part)
    const seen = picks(1_000)
    shares.push(Math.round((countOf(seen, 'new') / countOf(seen, 'old')) * 100) / 100)
    expect(Math.abs(countOf(seen, 'old') - countOf(seen, 'older'))).toBeLessThan(3)
  }

  expect(shares).toEqual([0, 0.25, 0.5, 0.75, 1])
})

test('targets that come when there is none start at once, however many they are', async ({
  expect,
  onTestFinished,
}) => {
  const { register, picks } = createTestTargetGroup({ onTestFinished, ...slow })

  await register(createPatient('one'), createPatient('two'))

  expect(picks(4)).toEqual(['one', 'two', 'one', 'two'])
})

test('so does one that no healthy target outside of slow start could stand in for', async ({
  expect,
  onTestFinished,
}) => {
  const { group, register, picks } = createTestTargetGroup({ onTestFinished, ...slow })
  await register(createPatient('ill', { isHealthy: () => false }))
  await register(createPatient('first'))
  expect(picks(10)).not.toContain('none')
  await register(createPatient('second'))

  expect(countOf(picks(100), 'second')).toBe(0)
  group.deregister('first')
  await register(createPatient('third'))

  // The second is still starting, so that the third takes its full share.
  expect(countOf(picks(100), 'third')).toBe(100)
})

test('leaving healthy ends it: who recovers is not slow, who is registered again is', async ({
  expect,
  onTestFinished,
}) => {
  const { group, register, picks, clock } = createTestTargetGroup({
    onTestFinished,
    ...slow,
    slowStartSeconds: 900,
    healthCheck: {
      path: '/health',
      intervalSeconds: 30,
      timeoutSeconds: 5,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
    },
  })
  let isHealthy = true
  await register(createPatient('old'))
  const target = createPatient('new', { isHealthy: () => isHealthy })
  await register(target)
  isHealthy = false
  await clock.advance(60_000)
  expect(picks(10)).not.toContain('new')

  isHealthy = true
  await clock.advance(60_000)
  expect(countOf(picks(10), 'new')).toBe(5)
  group.deregister('new')
  await register(target)

  expect(countOf(picks(10), 'new')).toBe(0)
})

test('the other algorithms have no slow start', async ({ expect, onTestFinished }) => {
  for (const algorithm of ['least_outstanding_requests', 'weighted_random'] as const) {
    const { register, picks } = createTestTargetGroup({ onTestFinished, ...slow, algorithm })
    await register(createPatient('old'))
    await register(createPatient('new'))

    expect(countOf(picks(100), 'new')).toBeGreaterThan(20)
  }
})
