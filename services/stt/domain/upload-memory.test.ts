import * as fc from 'fast-check'
import { test } from 'vitest'
import { createUploadMemory, type Upload } from './upload-memory.ts'

/** Whether what was asked for has been given, as far as promises go. */
async function isGiven(held: Promise<void>): Promise<boolean> {
  const given = held.then(
    () => true,
    () => false,
  )
  return Promise.race([given, new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))])
}

test('uploads wait while others hold the memory, the oldest first', async ({ expect }) => {
  const memory = createUploadMemory({ bytes: 100, uploads: 10 })
  const [first, second, third] = [memory.begin(), memory.begin(), memory.begin()]
  await first.hold(60)
  const large = second.hold(50)
  const small = third.hold(10)
  expect([await isGiven(large), await isGiven(small)]).toEqual([false, false])

  first.end()

  expect([await isGiven(large), await isGiven(small)]).toEqual([true, true])
})

test('the oldest upload goes on, however large it is', async ({ expect }) => {
  const memory = createUploadMemory({ bytes: 100, uploads: 10 })
  const [oldest, other] = [memory.begin(), memory.begin()]
  await other.hold(90)
  await oldest.hold(500)
  const waiting = other.hold(1)
  expect(await isGiven(waiting)).toBe(false)

  oldest.end()

  expect(await isGiven(waiting)).toBe(true)
})

test('an upload that ends while it waits is told, and leaves its place', async ({ expect }) => {
  const memory = createUploadMemory({ bytes: 100, uploads: 2 })
  const [first, second] = [memory.begin(), memory.begin()]
  await first.hold(100)
  const outcome = expect(second.hold(1)).rejects.toThrow('ended')
  expect(() => memory.begin()).toThrow('Too many files')

  second.end()

  await outcome
  await expect(second.hold(1)).rejects.toThrow('ended')
  expect(() => memory.begin()).not.toThrow()
})

test('no more is held than there is and one upload needs, and all get done', async ({ expect }) => {
  const needs = fc.array(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 5 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(needs, async (uploads) => {
      const memory = createUploadMemory({ bytes: 100, uploads: 12 })
      let heldBytes = 0
      let done = 0
      await Promise.all(
        uploads.map(async (pieces) => {
          const upload: Upload = memory.begin()
          let mineBytes = 0
          for (const bytes of pieces) {
            await upload.hold(bytes)
            mineBytes += bytes
            heldBytes += bytes
            expect(heldBytes - mineBytes).toBeLessThanOrEqual(100 + 5 * 120)
          }
          heldBytes -= mineBytes
          done += 1
          upload.end()
        }),
      )
      expect(done).toBe(uploads.length)
    }),
    { numRuns: 50 },
  )
})
