import { test } from 'vitest'
import { splitSegments } from './segments.ts'

const T0 = 100
const at = (seconds: number): number => T0 + Math.round(seconds / 0.02)

test.for([
  {
    what: 'two phrases, all said',
    tokens: [at(0), 1, 2, at(2), at(2), 3, at(4)],
    segments: [
      [0, 2],
      [2, 4],
    ],
    unfinished: undefined,
  },
  { what: 'a phrase cut off after a pair', tokens: [at(0), 1, at(2), at(2)], segments: [[0, 2]], unfinished: 2 },
  { what: 'an unfinished phrase after a pair', tokens: [at(0), 1, at(2), at(2), 3], segments: [[0, 2]], unfinished: 2 },
  { what: 'one phrase with its end', tokens: [at(0), 1, 2, at(3)], segments: [[0, 3]], unfinished: undefined },
  { what: 'one phrase without end', tokens: [at(0), 1, 2], segments: [[0, 9]], unfinished: undefined },
  { what: 'no timestamps', tokens: [1, 2], segments: [[0, 9]], unfinished: undefined },
])('$what', ({ tokens, segments, unfinished }, { expect }) => {
  const split = splitSegments(tokens, T0, 9)

  expect(split.segments.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds])).toEqual(segments)
  expect(split.unfinishedAtSeconds).toBe(unfinished)
})
