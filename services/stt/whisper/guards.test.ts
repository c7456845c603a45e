import { test } from 'vitest'
import { compressionOf, leastDoubtful, verdictOn, type Signs } from './guards.ts'

const FINE: Signs = { looped: false, averageLogProbability: -0.3, noSpeechProbability: 0.1, compressionRatio: 1.2 }

test.for([
  ['heard text', {}, 'fine'],
  ['text the model is unsure of', { averageLogProbability: -1.1 }, 'doubtful'],
  ['text that repeats itself', { compressionRatio: 2.5 }, 'doubtful'],
  ['a loop that was cut', { looped: true }, 'doubtful'],
  ['unsure text where nobody seems to speak', { averageLogProbability: -1.1, noSpeechProbability: 0.7 }, 'silence'],
  ['sure text where nobody seems to speak', { noSpeechProbability: 0.7 }, 'fine'],
] as const)('%s', ([, signs, verdict], { expect }) => {
  expect(verdictOn({ ...FINE, ...signs })).toBe(verdict)
})

test('a phrase said over and over is beyond the limit of repetition, a sentence is not', ({ expect }) => {
  expect(compressionOf('and so my fellow Americans '.repeat(10))).toBeGreaterThan(2.4)
  expect(compressionOf('He was not an ill-disposed young man, unless to be rather selfish is.')).toBeLessThan(2.4)
  expect(compressionOf('')).toBe(0)
})

test('of doubtful texts the likeliest without repetition is kept, else the likeliest', ({ expect }) => {
  const looped = { signs: { ...FINE, looped: true, averageLogProbability: -0.1 } }
  const repeating = { signs: { ...FINE, compressionRatio: 3, averageLogProbability: -0.2 } }
  const unsure = { signs: { ...FINE, averageLogProbability: -1.2 } }
  const unsurer = { signs: { ...FINE, averageLogProbability: -1.5 } }

  expect(leastDoubtful([looped, repeating, unsurer, unsure])).toBe(unsure)
  expect(leastDoubtful([repeating, looped])).toBe(looped)
  expect(leastDoubtful([])).toBeUndefined()
})
