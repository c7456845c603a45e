import { array, assert, boolean, integer, property } from 'fast-check'
import { test } from 'vitest'
import { healthCheck } from '../../tests/test-balancer.ts'
import type { TargetHealth } from '../model.ts'
import { type CheckResult, type HealthTrack, initialTrack, mergeHealth, nextTrack } from './target-health.ts'

const failed: CheckResult = { passed: false, reason: 'Target.Timeout', description: 'Request timed out' }

/** The rules of aws-behaviour §1.5, read off the whole history. */
function naiveState(results: readonly boolean[], healthy: number, unhealthy: number): TargetHealth['state'] {
  const endsWith = (upTo: number, count: number, result: boolean): boolean =>
    upTo >= count && results.slice(upTo - count, upTo).every((each) => each === result)
  let state: TargetHealth['state'] = 'initial'
  for (let upTo = 1; upTo <= results.length; upTo += 1) {
    if (state !== 'unhealthy' && endsWith(upTo, unhealthy, false)) state = 'unhealthy'
    else if (state === 'initial' && results[upTo - 1] === true) state = 'healthy'
    else if (state === 'unhealthy' && endsWith(upTo, healthy, true)) state = 'healthy'
  }
  return state
}

test('any history of checks leads where the rules say', ({ expect }) => {
  const threshold = integer({ min: 2, max: 10 })
  assert(
    property(array(boolean(), { maxLength: 60 }), threshold, threshold, (results, healthy, unhealthy) => {
      const config = { ...healthCheck, healthyThreshold: healthy, unhealthyThreshold: unhealthy }
      let track: HealthTrack = initialTrack(0)
      for (const [index, passed] of results.entries()) {
        track = nextTrack(track, passed ? { passed } : failed, { config, nowMs: index + 1 })
      }
      expect(track.health.state).toBe(naiveState(results, healthy, unhealthy))
    }),
  )
})

test('of several nodes’ views the worst one is told: unhealthy before initial before healthy', ({ expect }) => {
  const initial = initialTrack(1).health
  const healthy: TargetHealth = { state: 'healthy', since: 5 }
  const latest: TargetHealth = { state: 'healthy', since: 7 }
  const ill: TargetHealth = { state: 'unhealthy', since: 9, reason: 'Target.Timeout', description: 'Request timed out' }

  expect(mergeHealth([healthy, initial, ill])).toBe(ill)
  expect(mergeHealth([healthy, initial])).toBe(initial)
  expect(mergeHealth([healthy, latest])).toBe(latest)
})
