import * as fc from 'fast-check'
import { test } from 'vitest'
import { repetitionStart } from './repetition.ts'

const END = 1000
const text = fc.integer({ min: 0, max: END - 1 })

test.for([
  { what: 'one word a dozen times', tokens: [1, 2, ...Array.from({ length: 12 }, () => 7)], expected: 3 },
  { what: 'a phrase three times', tokens: [9, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], expected: 5 },
  {
    what: 'a phrase between changing timestamps',
    tokens: [1, 2, 3, 4, 1001, 1, 2, 3, 4, 1002, 1, 2, 3, 4],
    expected: 5,
  },
  { what: 'a word said four times', tokens: [5, 7, 7, 7, 7], expected: undefined },
  { what: 'a sentence said twice', tokens: [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8], expected: undefined },
])('$what', ({ tokens, expected }, { expect }) => {
  expect(repetitionStart(tokens, END)).toBe(expected)
})

test('whatever phrase is repeated, what is kept holds it once and no loop', ({ expect }) => {
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 10 }),
      fc.uniqueArray(text, { minLength: 1, maxLength: 16 }),
      (before, phrase) => {
        const tokens = [...before]
        let found: number | undefined
        for (let copy = 0; copy < 20 && found === undefined; copy += 1) {
          for (const token of phrase) {
            tokens.push(token)
            found ??= repetitionStart(tokens, END)
          }
        }
        const kept = tokens.slice(0, found)
        expect(found).toBeDefined()
        expect(repetitionStart(kept, END)).toBeUndefined()
        expect(kept.length).toBeGreaterThanOrEqual(phrase.length)
      },
    ),
  )
})
