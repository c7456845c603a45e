import * as fc from 'fast-check'
import { test } from 'vitest'
import { createSampleBuffer } from './sample-buffer.ts'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ append: fc.nat(40_000) }) },
  { weight: 2, arbitrary: fc.record({ dropBefore: fc.integer({ min: -10, max: 200_000 }) }) },
  { weight: 3, arbitrary: fc.record({ from: fc.nat(200_000), length: fc.integer({ min: -5, max: 60_000 }) }) },
)

test('gives back what came in by its place in the stream, as far as it is still needed', ({ expect }) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const buffer = createSampleBuffer()
      let heard = 0
      let needed = 0
      for (const each of steps) {
        if ('append' in each) {
          // Its own number, so that each sample tells where it belongs.
          buffer.append(Float32Array.from({ length: each.append }, (_, index) => heard + index))
          heard += each.append
        } else if ('dropBefore' in each) {
          buffer.dropBefore(each.dropBefore)
          needed = Math.max(needed, Math.min(heard, each.dropBefore))
        } else {
          const from = Math.max(needed, each.from)
          const slice = buffer.slice(from, from + each.length)
          const length = Math.max(0, Math.min(heard, from + each.length) - from)
          expect(slice).toHaveLength(length)
          expect([slice[0], slice.at(-1)]).toEqual(length === 0 ? [undefined, undefined] : [from, from + length - 1])
        }
        expect(buffer.endSample).toBe(heard)
      }
    }),
    { numRuns: 60 },
  )
})

test('what is not needed any more is not kept', ({ expect }) => {
  const buffer = createSampleBuffer()
  for (let second = 0; second < 100; second += 1) {
    buffer.append(new Float32Array(16_000))
    buffer.dropBefore(second * 16_000)
  }
  // All that is there: what is needed and at most a second more.
  expect(buffer.slice(0, buffer.endSample).length).toBeLessThanOrEqual(2 * 16_000)
})
