import { test } from 'vitest'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { quietestPlaceIn } from './quietest-place.ts'

test('cuts in the gap between two words', ({ expect }) => {
  const samples = new Float32Array(4 * SAMPLE_RATE_HZ).fill(0.3)
  samples.fill(0.01, 2.9 * SAMPLE_RATE_HZ, 3 * SAMPLE_RATE_HZ)

  const seconds = quietestPlaceIn(samples)(0, samples.length) / SAMPLE_RATE_HZ

  expect(seconds).toBeGreaterThanOrEqual(2.92)
  expect(seconds).toBeLessThanOrEqual(2.98)
})

test('cuts in the middle of what is equally loud, and of a stretch of no length', ({ expect }) => {
  const cut = quietestPlaceIn(new Float32Array(SAMPLE_RATE_HZ).fill(0.3))

  expect(cut(4000, 12_000)).toBe(8000)
  expect(cut(4000, 4000)).toBe(4000)
})
