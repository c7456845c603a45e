import * as fc from 'fast-check'
import { test } from 'vitest'
import { joinGradually, joinSamples } from './join-samples.ts'

test('what is joined gradually is the same as what is joined at once', async ({ expect }) => {
  const parts = fc.array(fc.float32Array({ maxLength: 50 }), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(parts, async (each) => {
      const length = each.reduce((sum, part) => sum + part.length, 0)
      expect(await joinGradually(each, new Float32Array(length))).toEqual(joinSamples(each))
    }),
  )
})

test('other work goes on while a long recording is joined', async ({ expect }) => {
  const parts = Array.from({ length: 20 }, (_, index) => new Uint8Array(1 << 20).fill(index))
  let turns = 0
  const counting = setImmediate(function count() {
    turns += 1
    if (turns < 4) setImmediate(count)
  })

  const whole = await joinGradually(parts, new Uint8Array(20 << 20))
  clearImmediate(counting)

  expect(turns).toBe(4)
  expect([whole[0], whole.at(-1)]).toEqual([0, 19])
})
