import * as fc from 'fast-check'
import { test } from 'vitest'
import { dealPieces } from './deal-pieces.ts'

test('few pieces are dealt to all workers, there and back', ({ expect }) => {
  expect(dealPieces([15], 2)).toEqual([[15]])
  expect(dealPieces([15, 14], 2)).toEqual([[15], [14]])
  expect(dealPieces([15, 14, 13, 12], 2)).toEqual([
    [15, 12],
    [14, 13],
  ])
})

test('many pieces are dealt in rounds of about the same size, the longest first', ({ expect }) => {
  expect(dealPieces([9, 8, 7, 6, 5, 4, 3, 2, 1], 2)).toEqual([[9], [8, 7], [6], [5, 4], [3], [2, 1]])
  expect(dealPieces([], 2)).toEqual([])
})

test('every piece is dealt once, to groups that are neither empty nor larger than two', ({ expect }) => {
  fc.assert(
    fc.property(fc.nat(60), fc.integer({ min: 1, max: 9 }), (count, workers) => {
      const pieces = Array.from({ length: count }, (_, index) => index)
      const groups = dealPieces(pieces, workers)

      expect(groups.flat().toSorted((one, other) => one - other)).toEqual(pieces)
      expect(groups.every(({ length }) => length >= 1 && length <= 2)).toBe(true)
    }),
  )
})
