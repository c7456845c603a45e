import { test } from 'vitest'
import type { SpokenWord } from '../../wire/speech.ts'
import { chooseCut } from './cut.ts'

function words(...times: readonly (readonly [number, number])[]): SpokenWord[] {
  return times.map(([startSeconds, endSeconds]) => ({ word: 'word', startSeconds, endSeconds, confidence: 1 }))
}

const NARROW = words([0, 2], [2.1, 4], [4.5, 6], [6.2, 7.5], [7.6, 9.9])
const dipAt = (second: number) => (from: number, to: number) => (from <= second && second <= to ? 0.1 : 0.9)

test.for([
  { name: 'at the widest gap with a dip', windowSeconds: 10, dip: 6.1, expected: { wordCount: 3, atSeconds: 6.1 } },
  { name: 'nowhere without a dip', windowSeconds: 10, dip: -1, expected: undefined },
  { name: 'not close to the start', windowSeconds: 10, dip: 2.05, expected: undefined },
  { name: 'not close to the end', windowSeconds: 9, dip: 7.55, expected: undefined },
  {
    name: 'at the widest gap of all when it is overdue',
    windowSeconds: 16,
    dip: -1,
    expected: { wordCount: 5, atSeconds: 12.95 },
  },
])('cuts $name', ({ windowSeconds, dip, expected }, { expect }) => {
  const cut = chooseCut({ words: NARROW, windowSeconds, lowest: dipAt(dip) })
  expect(cut && { ...cut, atSeconds: Math.round(cut.atSeconds * 1000) / 1000 }).toEqual(expected)
})
