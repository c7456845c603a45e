import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test, type TestContext } from 'vitest'
import { ModelError } from './errors.ts'
import { importModel } from './import-model.ts'
import { readDimensions, whisperLayout } from './layout.ts'
import { openSource } from './open-source.ts'
import {
  safetensorsHeader,
  writeGgml,
  writeOnnx,
  writePieces,
  writeSafetensors,
  type Written,
} from './testing-formats.ts'
import { smallModel } from './testing-small.ts'
import { tinyNames, writeTinyWhisper } from './testing.ts'

interface Form {
  readonly form: string
  /** The file that is damaged. */
  readonly file: string
  write(folder: string): Promise<void>
}

const FORMS: readonly Form[] = [
  {
    form: 'ggml',
    file: 'ggml-tiny.bin',
    write: (folder) => writeGgml(join(folder, 'ggml-tiny.bin'), smallModel(), { texts: ['a', 'b'], packing: 'q5_0' }),
  },
  { form: 'safetensors', file: 'model.safetensors', write: (folder) => writeSafetensors(folder, smallModel()) },
  { form: 'ONNX', file: 'decoder_model.onnx', write: (folder) => writeOnnx(folder, smallModel()) },
  {
    form: 'ONNX with data apart',
    file: 'decoder_model.onnx',
    write: (folder) => writeOnnx(folder, smallModel(), { isExternal: true }),
  },
]

async function temporary(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'aldea-hostile-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const folder = join(root, 'whisper-tiny')
  await mkdir(folder)
  return folder
}

/** Reads everything there is. */
async function readAll(folder: string): Promise<void> {
  const source = await openSource(folder)
  try {
    for (const [name] of whisperLayout(readDimensions(folder, source.weights))) await source.weights.read(name)
  } finally {
    await source.close()
  }
}

test.for(FORMS)(
  'whatever happens to the bytes of $form, it is read or said to be damaged',
  async ({ file, write }, { expect, onTestFinished }) => {
    const folder = await temporary(onTestFinished)
    await write(folder)
    await readAll(folder)
    const path = join(folder, file)
    const whole = await readFile(path)
    const outcomes: unknown[] = []
    // The beginning tells how to read the rest, so most damage is done there.
    const place = fc.oneof(fc.nat(Math.min(2000, whole.length - 1)), fc.nat(whole.length - 1))
    const damage = fc.oneof(
      fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 8 })),
      fc.tuple(place, fc.constant(Uint8Array.of(0xff, 0xff, 0xff, 0xff))),
    )

    await fc.assert(
      fc.asyncProperty(damage, fc.boolean(), async ([at, bytes], isCut) => {
        const damaged = Buffer.from(whole)
        damaged.set(bytes.subarray(0, whole.length - at), at)
        await writeFile(path, isCut ? damaged.subarray(0, at) : damaged)
        outcomes.push(await readAll(folder).catch((error: unknown) => error))
      }),
      { numRuns: 60 },
    )

    expect(outcomes.filter((outcome) => outcome !== undefined && !(outcome instanceof ModelError))).toEqual([])
    expect(outcomes.some((outcome) => outcome instanceof ModelError)).toBe(true)
  },
)

const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
const HUGE = 0xff_ff_ff_ff
const GGML_HEADER = words(0x67_67_6d_6c, 51_864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1)

test.for([
  {
    what: 'mel filters without end',
    file: 'ggml.bin',
    pieces: [GGML_HEADER, words(HUGE, HUGE)],
    message: 'its mel filters',
  },
  {
    what: 'tokens without end',
    file: 'ggml.bin',
    pieces: [GGML_HEADER, words(0, 0, HUGE)],
    message: 'announces 4294967295 tokens',
  },
  {
    what: 'a long token',
    file: 'ggml.bin',
    pieces: [GGML_HEADER, words(0, 0, 1, HUGE)],
    message: 'token 0 has 4294967295 bytes',
  },
  {
    what: 'an immense tensor',
    file: 'ggml.bin',
    pieces: [GGML_HEADER, words(0, 0, 0, 2, 1, 0, 2 ** 31, 2 ** 20), Buffer.from('x')],
    message: 'truncated in "x"',
  },
  {
    what: 'a type of numbers nobody knows here',
    file: 'ggml.bin',
    pieces: [GGML_HEADER, words(0, 0, 0, 1, 1, 12, 256), Buffer.from('x')],
    message: "ggml's type 12",
  },
  {
    what: 'a ggml file of its first bytes',
    file: 'ggml.bin',
    pieces: [GGML_HEADER.subarray(0, 20)],
    message: 'is truncated',
  },
  {
    what: 'a header of exabytes',
    file: 'model.safetensors',
    pieces: [words(HUGE, HUGE)],
    message: 'its header would have 18446744073709551615 bytes',
  },
  {
    what: 'a header longer than the file',
    file: 'model.safetensors',
    pieces: [words(1_000_000, 0)],
    message: 'is truncated',
  },
  {
    what: 'a header of something else',
    file: 'model.safetensors',
    pieces: safetensorsHeader([1]),
    message: 'no JSON object|not a JSON object',
  },
  {
    what: 'data beyond the end',
    file: 'model.safetensors',
    pieces: safetensorsHeader({ x: { dtype: 'F32', shape: [9], data_offsets: [0, 36] } }),
    message: '"x" is truncated',
  },
  {
    what: 'a shape that does not fit its bytes',
    file: 'model.safetensors',
    pieces: [...safetensorsHeader({ x: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } }), words(1)],
    message: '"x" is corrupt: it has 4 bytes',
  },
  {
    what: 'shards elsewhere',
    file: 'model.safetensors.index.json',
    pieces: [Buffer.from('{"weight_map":{"x":"../../secret.safetensors"}}')],
    message: 'no file beside it',
  },
  {
    what: 'text for a graph',
    file: 'encoder_model.onnx',
    pieces: [Buffer.from('<html>not here</html>')],
    message: 'no ONNX file|corrupt',
  },
] as const)('says what is wrong with $what', async ({ file, pieces, message }, { expect, onTestFinished }) => {
  const folder = await temporary(onTestFinished)
  await writePieces(join(folder, file), pieces)
  if (file.endsWith('.onnx')) await writeFile(join(folder, 'decoder_model.onnx'), '')

  const error = await readAll(folder).catch((thrown: unknown) => thrown)

  expect(error).toBeInstanceOf(ModelError)
  expect(error).toMatchObject({ message: expect.stringMatching(new RegExp(message)) })
})

test('every form of one model is written as the same bytes', async ({ expect, onTestFinished }) => {
  const folder = await temporary(onTestFinished)
  const from = {
    ct2: folder,
    safetensors: `${folder}-st`,
    shards: `${folder}-sh`,
    onnx: `${folder}-onnx`,
    unfolded: `${folder}-unfolded`,
    merged: `${folder}-m`,
  }
  const written = smallModel()
  await writeTinyWhisper(from.ct2, 'english', written)
  await writeSafetensors(from.safetensors, written)
  await writeSafetensors(from.shards, written, { shards: 2 })
  await writeOnnx(from.onnx, written)
  await writeOnnx(from.unfolded, written, { isUnfolded: true })
  await writeOnnx(join(from.merged, 'onnx'), written, { isMerged: true, isExternal: true })
  for (const other of [from.safetensors, from.shards, from.onnx, from.unfolded, from.merged])
    await writeTinyTokenizer(other)

  const files: unknown[] = []
  for (const source of Object.values(from)) {
    const manifest = await importModel({ from: source, to: `${source}-imported`, precision: 'fp32' })
    expect(manifest).toMatchObject({ alignmentHeads: [{ layer: 0, head: 0 }], suppressed: [1], suppressedFirst: [2] })
    files.push(manifest.files)
  }

  expect(files.slice(1)).toEqual(files.slice(1).map(() => files[0]))
})

test('the file with the weights stands for its folder', async ({ expect, onTestFinished }) => {
  const folder = await temporary(onTestFinished)
  await writeSafetensors(folder, smallModel())
  const source = await openSource(join(folder, 'model.safetensors'))
  onTestFinished(() => source.close())

  expect(source).toMatchObject({ format: 'safetensors', name: 'tiny' })
})

test('a missing tensor and one of another shape are named', async ({ expect, onTestFinished }) => {
  const folder = await temporary(onTestFinished)
  const written = smallModel()
  const missing = 'decoder/layer_0/attention/linear_2/bias'
  await writeSafetensors(folder, { ...written, names: written.names.filter((name) => name !== missing) })
  await expect(readAll(folder)).rejects.toThrow('no tensor "model.decoder.layers.0.encoder_attn.out_proj.bias"')

  const name = 'encoder/layer_0/ffn/linear_1/bias'
  const read: Written['weights']['read'] = async (each) =>
    each === name ? { shape: [3], values: Float32Array.of(1, 2, 3) } : written.weights.read(each)
  await writeSafetensors(folder, { ...written, weights: { ...written.weights, read } })
  await expect(readAll(folder)).rejects.toThrow(`"${name}" has the shape [3] instead of [64]`)
})

test('a folder of nothing known, of several models, and a file of neither say so', async ({
  expect,
  onTestFinished,
}) => {
  const folder = await temporary(onTestFinished)
  await expect(openSource(folder)).rejects.toThrow('no model of a known format')
  await writePieces(join(folder, 'ggml-a.bin'), [GGML_HEADER])
  await writePieces(join(folder, 'ggml-b.bin'), [GGML_HEADER])
  await expect(openSource(folder)).rejects.toThrow('2 ggml models')
  await truncate(join(folder, 'ggml-a.bin'), 2)
  await expect(openSource(join(folder, 'ggml-a.bin'))).rejects.toThrow('is no model of a known format')
  await expect(openSource(join(folder, 'nothing'))).rejects.toThrow('Cannot open')
  expect(await readdir(folder)).toHaveLength(2)
})

async function writeTinyTokenizer(folder: string): Promise<void> {
  const names = tinyNames()
  const files = {
    'tokenizer.json': {
      model: { vocab: Object.fromEntries(names.slice(0, 10).map((name, id) => [name, id])) },
      added_tokens: names.slice(10).map((content, index) => ({ id: 10 + index, content })),
    },
    'config.json': { model_type: 'whisper', suppress_tokens: [3], begin_suppress_tokens: [2] },
    'generation_config.json': { alignment_heads: [[0, 0]], suppress_tokens: [1] },
  }
  for (const [name, value] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(value))
}
