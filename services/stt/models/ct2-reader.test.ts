import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test, type TestContext } from 'vitest'
import { openCt2Model } from './ct2-reader.ts'
import { ModelError } from './errors.ts'
import { ct2File, text, u32, variable } from './testing.ts'

const VARIABLES = [
  ['encoder/conv1/weight', [2, 3], [1, 2, 3, 4, 5, 6]],
  ['decoder/embeddings/weight', [2], [0.5, -0.5]],
] as const

async function writeTemporary(content: Uint8Array, onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-ct2-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'model.bin')
  await writeFile(path, content)
  return path
}

test('reads names, shapes, values and aliases', async ({ expect, onTestFinished }) => {
  const model = await openCt2Model(await writeTemporary(ct2File(VARIABLES), onTestFinished))
  onTestFinished(() => model.close())

  expect(model.spec).toBe('WhisperSpec')
  expect(await model.read('encoder/conv1/weight')).toEqual({
    shape: [2, 3],
    values: Float32Array.of(1, 2, 3, 4, 5, 6),
  })
  expect((await model.read('decoder/projection/weight')).values).toEqual(Float32Array.of(0.5, -0.5))
  await expect(model.read('decoder/nothing')).rejects.toThrow('has no tensor "decoder/nothing"')
})

test.for([
  { type: 'float16', number: 4, bytes: [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00], values: [1, -2, 2 ** -24] },
  { type: 'bfloat16', number: 5, bytes: [0x80, 0x3f, 0x00, 0xc0, 0x00, 0x00], values: [1, -2, 0] },
  { type: 'float32', number: 0, bytes: [0, 0, 0x80, 0x3f], values: [1] },
])('reads $type weights', async ({ number, bytes, values }, { expect, onTestFinished }) => {
  const size = values.length
  const entry = variable('w', { shape: [size], type: number, bytes: Buffer.from(bytes) })
  const file = Buffer.concat([u32(6), text('WhisperSpec'), u32(3), u32(1), ...entry, u32(0)])
  const model = await openCt2Model(await writeTemporary(file, onTestFinished))
  onTestFinished(() => model.close())

  expect((await model.read('w')).values).toEqual(Float32Array.from(values))
})

test('reads int8 weights with one scale a row', async ({ expect, onTestFinished }) => {
  const scales = Float32Array.of(2, 4)
  const entries = [
    ...variable('w', { shape: [2, 2], type: 1, bytes: Buffer.from(Int8Array.of(2, -4, 8, 16).buffer) }),
    ...variable('w_scale', { shape: [2], type: 0, bytes: Buffer.from(scales.buffer) }),
  ]
  const file = Buffer.concat([u32(6), text('WhisperSpec'), u32(3), u32(2), ...entries, u32(0)])
  const model = await openCt2Model(await writeTemporary(file, onTestFinished))
  onTestFinished(() => model.close())

  expect((await model.read('w')).values).toEqual(Float32Array.of(1, -2, 2, 4))
})

test('names the version of a file it does not know', async ({ expect, onTestFinished }) => {
  const path = await writeTemporary(ct2File(VARIABLES, { version: 9 }), onTestFinished)

  await expect(openCt2Model(path)).rejects.toThrow('its format version is 9')
})

test('refuses a file cut short anywhere', async ({ expect, onTestFinished }) => {
  const whole = ct2File(VARIABLES)
  const path = await writeTemporary(whole, onTestFinished)

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
      await writeFile(path, whole.subarray(0, length))
      await expect(openCt2Model(path)).rejects.toThrow(ModelError)
    }),
    { numRuns: 60 },
  )
})

test('never fails other than by saying so when bytes are damaged', async ({ expect, onTestFinished }) => {
  const whole = ct2File(VARIABLES)
  const path = await writeTemporary(whole, onTestFinished)
  const outcomes: unknown[] = []

  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (place, byte) => {
      const damaged = Buffer.from(whole)
      damaged[place] = byte
      await writeFile(path, damaged)
      outcomes.push(
        await openCt2Model(path).then(
          (model) => model.close(),
          (error: unknown) => error,
        ),
      )
    }),
    { numRuns: 100 },
  )

  expect(outcomes.filter((outcome) => outcome !== undefined && !(outcome instanceof ModelError))).toEqual([])
})
