import * as fc from 'fast-check'
import { test } from 'vitest'
import { likeliestOf, weighLogits } from './logit-mass.ts'

const logit = fc.oneof(
  { weight: 9, arbitrary: fc.float({ min: -60, max: 40, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(Number.NEGATIVE_INFINITY) },
)

test('one look finds the likeliest and the sum of all, as plain arithmetic does', ({ expect }) => {
  fc.assert(
    fc.property(fc.array(logit, { minLength: 1, maxLength: 60 }), fc.nat(60), fc.nat(60), (list, one, other) => {
      const logits = Float32Array.from(list)
      const from = Math.min(one, other, logits.length)
      const to = Math.min(Math.max(one, other), logits.length)

      const mass = weighLogits(logits, from, to)

      const range = logits.subarray(from, to)
      const largest = range.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
      const isPossible = largest > Number.NEGATIVE_INFINITY
      const sum = isPossible ? range.reduce((total, value) => total + Math.exp(value - largest), 0) : 0
      expect(likeliestOf(logits, from, to)).toEqual({ token: mass.token, logit: mass.logit })
      expect(mass.logit).toBe(largest)
      expect(mass.token).toBe(isPossible ? from + range.indexOf(largest) : from)
      expect(Math.abs(mass.sum - sum)).toBeLessThanOrEqual(1e-5 * sum)
    }),
  )
})
