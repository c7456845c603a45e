import * as fc from 'fast-check'
import { test } from 'vitest'
import { cutToWidth, displayWidth } from './display-width.ts'

test('wide characters take two cells and combined ones take one', ({ expect }) => {
  expect(displayWidth('abc')).toBe(3)
  expect(displayWidth('日本')).toBe(4)
  expect(displayWidth('e\u0301')).toBe(1)
  expect(displayWidth('👍🏽')).toBe(2)
})

test('text that fits stays, longer text keeps its newest words', ({ expect }) => {
  expect(cutToWidth('ask not', 7)).toBe('ask not')
  expect(cutToWidth('ask not what', 9)).toBe('…not what')
  expect(cutToWidth('日本語', 4)).toBe('…語')
})

test('cut text never takes more cells than there are', ({ expect }) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 40 }), (text, cells) => {
      expect(displayWidth(cutToWidth(text, cells))).toBeLessThanOrEqual(cells)
    }),
  )
})
