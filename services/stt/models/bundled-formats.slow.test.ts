import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, test, type ExpectStatic, type TestContext } from 'vitest'
import { encode } from '../whisper/encoder.ts'
import { loadWhisper } from '../whisper/whisper-model.ts'
import { importModel } from './import-model.ts'
import { readDimensions } from './layout.ts'
import { openSource } from './open-source.ts'
import { BUNDLED, bundledModel, type Bundled } from './testing-bundled.ts'
import { writeGgml, writeOnnx, writeSafetensors, type Written } from './testing-formats.ts'
import { smallModel, type SmallModel } from './testing-small.ts'

interface Form {
  readonly form: string
  /** Writes it and resolves with what to import. */
  write(root: string, written: Written, texts: readonly string[]): Promise<string>
}

const HALF = 2 ** -11
const BRAIN = 2 ** -7

/** Single precision is exact. */
const EXACT: readonly Form[] = [
  { form: 'ggml f32', write: ggml('f32') },
  { form: 'safetensors F32', write: safetensors({}) },
  { form: 'ONNX float32', write: onnx({}) },
]

const ROUNDED: readonly (Form & { readonly tolerance: number })[] = [
  { form: 'ggml f16', tolerance: HALF, write: ggml('f16') },
  { form: 'ggml q8_0', tolerance: 1 / 127, write: ggml('q8_0') },
  { form: 'ggml q5_1', tolerance: 1 / 16, write: ggml('q5_1') },
  { form: 'ggml q5_0', tolerance: 1 / 15, write: ggml('q5_0') },
  { form: 'ggml q4_1', tolerance: 1 / 8, write: ggml('q4_1') },
  { form: 'ggml q4_0', tolerance: 1 / 7, write: ggml('q4_0') },
  { form: 'safetensors F16', tolerance: HALF, write: safetensors({ format: 'f16' }) },
  { form: 'safetensors BF16 in shards', tolerance: BRAIN, write: safetensors({ format: 'bf16', shards: 3 }) },
  {
    form: 'merged ONNX float16 with its data apart',
    tolerance: HALF,
    write: onnx({ format: 'f16', isMerged: true, isExternal: true }),
  },
]

function ggml(packing: NonNullable<Parameters<typeof writeGgml>[2]['packing']>): Form['write'] {
  return async (root, written, texts) => {
    const path = join(root, 'ggml-tiny.en.bin')
    await writeGgml(path, written, { texts, packing })
    return path
  }
}

function safetensors(style: Parameters<typeof writeSafetensors>[2]): Form['write'] {
  return async (root, written) => {
    await writeSafetensors(root, written, style)
    return root
  }
}

function onnx(style: Parameters<typeof writeOnnx>[2]): Form['write'] {
  return async (root, written) => {
    await writeOnnx(root, written, style)
    return root
  }
}

let bundled: Bundled
let small: SmallModel

beforeAll(async () => {
  bundled = await bundledModel()
  small = smallModel(1000)
})

test.for(EXACT)(
  'the bundled weights come back from $form number by number, and imported they give equal logits',
  async ({ write }, { expect, onTestFinished }) => {
    const root = await temporary(onTestFinished)
    await writeHuggingFaceFiles(root, bundled)
    const from = await write(root, bundled, bundled.texts)
    const source = await openSource(from)
    onTestFinished(() => source.close())
    const { manifest } = bundled

    const dimensions = readDimensions('it', source.weights)
    expect(dimensions).toEqual(manifest.dimensions)
    const vocabulary = await source.loadVocabulary(dimensions)
    expect(vocabulary.tokens).toEqual(manifest.tokens)
    expect(vocabulary.texts).toEqual(bundled.texts)
    const { alignmentHeads, suppressed, suppressedFirst } = manifest
    expect(await source.loadConfig(dimensions, vocabulary)).toEqual({ alignmentHeads, suppressed, suppressedFirst })
    for (const name of bundled.names) {
      const expected = await bundled.weights.read(name)
      expectClose(expect, name, { read: await source.weights.read(name), expected, tolerance: 0 })
    }

    const to = join(await temporary(onTestFinished), 'imported')
    await importModel({ from, to, precision: 'int8' })
    const imported = await firstLogits(to)
    expect(imported.length).toBe(manifest.dimensions.vocabulary)
    expect(greatestDifference(imported, await firstLogits(BUNDLED))).toBe(0)
  },
)

test.for(ROUNDED)('weights come back from $form, rounded', async ({ tolerance, write }, { expect, onTestFinished }) => {
  const source = await openSource(await write(await temporary(onTestFinished), small, []))
  onTestFinished(() => source.close())

  expect(readDimensions('it', source.weights)).toEqual(small.dimensions)
  for (const name of small.names) {
    const expected = await small.weights.read(name)
    expectClose(expect, name, { read: await source.weights.read(name), expected, tolerance })
  }
})

/** Of a short ramp of sound: any audio will do. */
async function firstLogits(folder: string): Promise<Float32Array> {
  const { sessions, decoder, manifest } = await loadWhisper(folder, 1)
  const { mels } = manifest.dimensions
  const mel = Float32Array.from({ length: mels * 200 }, (_, index) => Math.sin(index / 50))
  const audio = await encode(sessions.encoder, mel, manifest.dimensions)
  const [row] = await decoder.start(audio).feed([50_257, 50_362], 1)
  return row ?? new Float32Array()
}

interface Comparison {
  readonly read: { readonly shape: readonly number[]; readonly values: Float32Array }
  readonly expected: { readonly shape: readonly number[]; readonly values: Float32Array }
  /** Greatest error of a number, as a part of the greatest of its tensor. */
  readonly tolerance: number
}

function expectClose(expect: ExpectStatic, name: string, { read, expected, tolerance }: Comparison): void {
  expect(read.shape, name).toEqual(expected.shape)
  expect(read.values.length, name).toBe(expected.values.length)
  const largest = expected.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  expect(greatestDifference(read.values, expected.values), name).toBeLessThanOrEqual(tolerance * largest)
}

function greatestDifference(one: Float32Array, other: Float32Array): number {
  let greatest = 0
  for (let index = 0; index < one.length; index += 1) {
    greatest = Math.max(greatest, Math.abs((one[index] ?? Number.NaN) - (other[index] ?? Number.NaN)))
  }
  return greatest
}

async function temporary(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-formats-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** `vocab.json`, `added_tokens.json` and the two configurations, as transformers saves them. */
async function writeHuggingFaceFiles(folder: string, { texts, manifest }: Bundled): Promise<void> {
  const { tokens, alignmentHeads, suppressed, suppressedFirst } = manifest
  const alphabet = byteAlphabet()
  const vocab = Object.fromEntries(texts.map((text, id) => [Array.from(text, (byte) => alphabet[byte]).join(''), id]))
  const added = {
    '<|endoftext|>': tokens.endOfText,
    '<|startoftranscript|>': tokens.startOfTranscript,
    '<|transcribe|>': tokens.transcribe,
    '<|startofprev|>': tokens.startOfPrevious,
    '<|nocaptions|>': tokens.noSpeech,
    '<|notimestamps|>': tokens.noTimestamps,
  }
  const generation = {
    alignment_heads: alignmentHeads.map(({ layer, head }) => [layer, head]),
    suppress_tokens: suppressed,
    begin_suppress_tokens: suppressedFirst,
  }
  const files = { vocab, added_tokens: added, config: { model_type: 'whisper' }, generation_config: generation }
  for (const [name, value] of Object.entries(files))
    await writeFile(join(folder, `${name}.json`), JSON.stringify(value))
}

/** GPT-2's: bytes that can be printed stand for themselves, the others from U+0100 on. */
function byteAlphabet(): Record<string, string> {
  const alphabet: Record<string, string> = {}
  let next = 0x100
  for (let byte = 0; byte < 0x100; byte += 1) {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
    alphabet[String.fromCodePoint(byte)] = String.fromCodePoint(isPrintable ? byte : next)
    if (!isPrintable) next += 1
  }
  return alphabet
}
