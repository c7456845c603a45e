import * as fc from 'fast-check'
import { test } from 'vitest'
import { createMedianRow } from './median-filter.ts'

test('adds the middle of the seven values around each, mirrored at the ends', ({ expect }) => {
  const value = fc.float({ noNaN: true, min: -5, max: 5 })
  fc.assert(
    fc.property(fc.array(value, { minLength: 4, maxLength: 40 }), (list) => {
      const values = Float32Array.from(list)
      const target = new Float32Array(values.length).fill(1)

      const row = createMedianRow(values.length)
      row.values.set(values)
      row.addTo(target)

      const last = values.length - 1
      const expected = values.map((_, at) => {
        const window = [-3, -2, -1, 0, 1, 2, 3].map((reach) => {
          const place = Math.abs(at + reach)
          return values[place > last ? 2 * last - place : place] ?? Number.NaN
        })
        return 1 + (window.sort((one, other) => one - other)[3] ?? Number.NaN)
      })
      expect(target).toEqual(expected)
    }),
  )
})
