import { test } from 'vitest'
import { alignTokens } from './alignment.ts'

const POSITIONS = 60

/** Attention of two heads: the first looks at `center`, the second always at the same place. */
function lookingAt(center: number): Float32Array {
  const attention = new Float32Array(2 * POSITIONS)
  for (let at = 0; at < POSITIONS; at += 1) {
    attention[at] = Math.exp(-(((at - center) / 4) ** 2))
    attention[POSITIONS + at] = at === 5 ? 1 : 0
  }
  return attention
}

test('tokens begin where their attention moves on', ({ expect }) => {
  const starts = alignTokens({
    attention: [0, 5, 15, 25, 35].map(lookingAt),
    heads: 2,
    positions: POSITIONS,
    audioPositions: 45,
    rows: [1, 2, 3, 4],
  })

  expect(starts[0]).toBe(0)
  for (const [index, between] of [10, 20, 30].entries()) {
    expect(Math.abs((starts[index + 1] ?? Number.NaN) - between)).toBeLessThanOrEqual(2)
  }
})

test('more tokens than positions still begin in order, within the audio', ({ expect }) => {
  const starts = alignTokens({
    attention: Array.from({ length: 12 }, (_, index) => lookingAt(index)),
    heads: 2,
    positions: POSITIONS,
    audioPositions: 5,
    rows: Array.from({ length: 12 }, (_, index) => index),
  })

  expect(starts).toHaveLength(12)
  expect(starts.toSorted((one, other) => one - other)).toEqual(starts)
  expect(starts.every((start) => start >= 0 && start < 5)).toBe(true)
})
