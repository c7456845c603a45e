import { assert, double, nat, property } from 'fast-check'
import { test } from 'vitest'
import { backOffMs } from './back-off.ts'

test('waits twice as long each time, up to five seconds', ({ expect }) => {
  expect([0, 1, 2, 5, 6, 1_000].map((attempt) => backOffMs(attempt, 0))).toEqual([100, 200, 400, 3_200, 5_000, 5_000])
})

test('chance takes away half at most', ({ expect }) => {
  assert(
    property(nat(2_000), double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
      const longestMs = backOffMs(attempt, 0)
      expect(backOffMs(attempt, chance)).toBeGreaterThanOrEqual(longestMs / 2)
      expect(backOffMs(attempt, chance)).toBeLessThanOrEqual(longestMs)
    }),
  )
})
