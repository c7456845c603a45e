import { array, assert, integer, property } from 'fast-check'
import { test } from 'vitest'
import { seededRandom } from '../../../services/wire/seeded-random.ts'
import { compileWeights } from './weights.ts'

const CHOICES = 1_000

/** Of so many standard deviations one run in a billion is off. */
const DEVIATIONS = 6

test('each group gets its share, and one without weight nothing', () => {
  const weights = array(integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 5 })

  assert(
    property(weights, integer(), (given, seed) => {
      const groups = given.map((weight, index) => ({ targetGroup: String(index), weight }))
      const total = given.reduce((sum, weight) => sum + weight, 0)
      const choose = compileWeights(groups, seededRandom(seed))
      const chosen = Array.from({ length: CHOICES }, choose)
      if (total === 0) return chosen.every((each) => each === undefined)

      return groups.every(({ targetGroup, weight }) => {
        const share = weight / total
        const off = chosen.filter((each) => each === targetGroup).length - CHOICES * share
        return Math.abs(off) <= DEVIATIONS * Math.sqrt(CHOICES * share * (1 - share))
      })
    }),
    { numRuns: 200 },
  )
})

test('the ends of what is random are groups with a weight', ({ expect }) => {
  const groups = [
    { targetGroup: 'none', weight: 0 },
    { targetGroup: 'first', weight: 1 },
    { targetGroup: 'last', weight: 2 },
    { targetGroup: 'neither', weight: 0 },
  ]

  expect(compileWeights(groups, () => 0)()).toBe('first')
  expect(compileWeights(groups, () => 1 - Number.EPSILON / 2)()).toBe('last')
})
