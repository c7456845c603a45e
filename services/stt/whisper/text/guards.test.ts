import { test } from 'vitest'
import { compressionOf, verdictOn, type Signs } from './guards.ts'

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
