import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { createDecoder } from '../whisper/decoder/decoder.ts'
import { encode, type EncodedAudio } from '../whisper/encoder.ts'
import { recogniseWindow } from '../whisper/recognise-window.ts'
import type { Recognition } from '../whisper/port.ts'
import { loadWhisper, type WhisperModel } from '../whisper/whisper-model.ts'
import type { WindowPositions } from '../whisper/window-positions.ts'
import { importModel } from './import-model.ts'
import { ct2File, TINY, tinyVariables, writeTinyWhisper } from './testing.ts'

interface Folders {
  readonly root: string
  readonly from: string
  readonly to: string
}

async function prepare(onTestFinished: TestContext['onTestFinished']): Promise<Folders> {
  const root = await mkdtemp(join(tmpdir(), 'aldea-import-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const folders = { root, from: join(root, 'whisper-tiny.test'), to: join(root, 'model') }
  await writeTinyWhisper(folders.from)
  return folders
}

async function encodeRamp(model: WhisperModel, window?: WindowPositions): Promise<EncodedAudio> {
  const frames = 2 * TINY.positions
  const mel = Float32Array.from({ length: TINY.mels * frames }, (_, index) => Math.sin(index / 50))
  return encode(model.sessions.encoder, mel, model.manifest.dimensions, window)
}

async function logitsOf({ sessions, manifest }: WhisperModel, audio: EncodedAudio): Promise<Float32Array> {
  const [logits = new Float32Array()] = await createDecoder(sessions.decoder, manifest.dimensions)
    .start(audio)
    .feed([11, 16], 1)
  return logits
}

function near(values: Float32Array, expect: TestContext['expect']): readonly unknown[] {
  return Array.from(values, (value) => expect.closeTo(value, 4))
}

test('describes what it wrote', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)
  const steps: string[] = []

  const manifest = await importModel({ from, to, precision: 'int8', onProgress: (step) => steps.push(step) })

  expect(steps).toEqual(['reading', 'encoder', 'decoder', 'vocabulary', 'done'])
  expect(manifest).toMatchObject({
    name: 'tiny.test',
    multilingual: false,
    dimensions: { mels: 80, audioPositions: 30, textPositions: 16, state: 64, heads: 1, vocabulary: 24 },
    tokens: { endOfText: 10, startOfTranscript: 11, noTimestamps: 16, firstTimestamp: 17 },
    alignmentHeads: [{ layer: 0, head: 0 }],
    suppressed: [1],
    suppressedFirst: [2],
  })
  expect(JSON.parse(await readFile(join(to, 'model.json'), 'utf8'))).toEqual(manifest)
  expect(JSON.parse(await readFile(join(to, 'vocabulary.json'), 'utf8'))).toContain(' d')
})

test('writes the same bytes each time', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)

  const first = await importModel({ from, to, precision: 'int8' })
  const second = await importModel({ from, to, precision: 'int8' })

  expect(second).toEqual(first)
})

test.for(['fp32', 'int8'] as const)(
  'a step with the %s cache gives what all tokens at once give',
  async (precision, { expect, onTestFinished }) => {
    const { from, to } = await prepare(onTestFinished)
    await importModel({ from, to, precision })
    const model = await loadWhisper(to, 1)
    const audio = await encodeRamp(model)

    const atOnce = createDecoder(model.sessions.decoder, model.manifest.dimensions).start(audio)
    const rows = await atOnce.feed([11, 3, 4], 3)
    const stepwise = createDecoder(model.sessions.decoder, model.manifest.dimensions).start(audio)
    await stepwise.feed([11], 1)
    await stepwise.feed([3], 1)
    const [last] = await stepwise.feed([4], 1)

    expect(rows).toHaveLength(3)
    expect(atOnce.attention).toHaveLength(3)
    expect(greatestDifference(last, rows[2])).toBeLessThan(precision === 'fp32' ? 1e-4 : 0.1)
    expect(greatestDifference(stepwise.attention[2], atOnce.attention[2])).toBeLessThan(0.01)
    expect(atOnce.attention[0]?.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 4)
  },
)

test('a fork goes its own way from what was fed so far', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)
  await importModel({ from, to, precision: 'fp32' })
  const model = await loadWhisper(to, 1)
  const audio = await encodeRamp(model)
  const start = () => createDecoder(model.sessions.decoder, model.manifest.dimensions).start(audio)
  const whole = start()
  const [expected] = (await whole.feed([11, 3, 5], 1)).map((row) => row.slice())

  const decoding = start()
  await decoding.feed([11, 3, 4], 1)
  const fork = decoding.fork()
  fork.truncate(2)
  const [forked] = (await fork.feed([5], 1)).map((row) => row.slice())

  expect(greatestDifference(forked, expected)).toBeLessThan(1e-4)
  expect(greatestDifference(fork.attention[2], whole.attention[2])).toBeLessThan(1e-4)
  expect([decoding.length, decoding.attention.length]).toEqual([3, 3])
  const [after] = (await decoding.feed([2], 1)).map((row) => row.slice())
  const [alone] = await start().feed([11, 3, 4, 2], 1)
  expect(greatestDifference(after, alone)).toBeLessThan(1e-4)
})

test('int8 logits stay close to those of single precision', async ({ expect, onTestFinished }) => {
  const { root, from } = await prepare(onTestFinished)
  const logits: (Float32Array | undefined)[] = []
  for (const precision of ['fp32', 'int8'] as const) {
    const to = join(root, precision)
    await importModel({ from, to, precision })
    const model = await loadWhisper(to, 1)
    const decoding = model.decoder.start(await encodeRamp(model))
    logits.push((await decoding.feed([11, 3], 1))[0])
  }

  expect(greatestDifference(logits[0], logits[1])).toBeGreaterThan(0)
  expect(greatestDifference(logits[0], logits[1])).toBeLessThan(0.2)
})

test('a multilingual model detects the language or takes the one it is told', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)
  await writeTinyWhisper(from, 'multilingual')
  const { multilingual, languages } = await importModel({ from, to, precision: 'int8' })
  const model = await loadWhisper(to, 1)
  const recognise = (language: string | undefined): Promise<Recognition> =>
    recogniseWindow(
      model,
      new Float32Array(4800),
      { priority: 'interim', language, padding: 'full', timestamps: true },
      () => undefined,
    )

  expect(multilingual).toBe(true)
  expect(languages).toEqual({ en: 50_259, de: 50_260 })
  const [detected, told, other] = [await recognise(undefined), await recognise('en-GB'), await recognise('de')]
  expect([told.text, other.text]).toContain(detected.text)
  await expect(recognise('xx')).rejects.toMatchObject({ status: 400 })
})

test('keeps a README beside the model it replaces', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)
  await importModel({ from, to, precision: 'fp32' })
  await writeFile(join(to, 'README.md'), 'mine')

  await importModel({ from, to, precision: 'int8' })

  expect(await readFile(join(to, 'README.md'), 'utf8')).toBe('mine')
})

test('keeps a README beside a model of an older format', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)
  const manifest = await importModel({ from, to, precision: 'fp32' })
  await writeFile(join(to, 'model.json'), JSON.stringify({ ...manifest, format: manifest.format - 1 }))
  await writeFile(join(to, 'README.md'), 'mine')

  await importModel({ from, to, precision: 'fp32' })

  expect(await readFile(join(to, 'README.md'), 'utf8')).toBe('mine')
})

test('a position that counts twice is heard like two of it', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)
  await importModel({ from, to, precision: 'fp32' })
  const model = await loadWhisper(to, 1)
  const once = [0, 1, 2]
  const hear = (places: readonly number[], counts: readonly number[]): Promise<EncodedAudio> =>
    encodeRamp(model, { frames: 2 * TINY.positions, sources: places, places, counts })

  const weighed = [...(await logitsOf(model, await hear(once, [1, 1, 2])))]

  expect(weighed).toEqual(near(await logitsOf(model, await hear([...once, 2], [1, 1, 1, 1])), expect))
  expect(weighed).not.toEqual(near(await logitsOf(model, await hear(once, [1, 1, 1])), expect))
})

test('what imports of the name left behind long ago goes, and nothing else does', async ({
  expect,
  onTestFinished,
}) => {
  const { root, from, to } = await prepare(onTestFinished)
  const name = basename(to)
  const stale = [`.${name}-aB3xY9`]
  const kept = [`.${name}-fresh1`, `.${name}-aB3xY9-previous`, '.other-aB3xY9']
  for (const each of [...stale, ...kept]) await mkdir(join(root, each))
  for (const each of [...stale, ...kept.slice(1)]) await utimes(join(root, each), new Date(0), new Date(0))

  await importModel({ from, to, precision: 'int8' })

  expect((await readdir(root)).filter((each) => each.startsWith('.')).toSorted()).toEqual(kept.toSorted())
})

test('touches no folder that holds something else', async ({ expect, onTestFinished }) => {
  const { root, from } = await prepare(onTestFinished)

  await expect(importModel({ from, to: root, precision: 'int8' })).rejects.toThrow('holds other files and no model')
})

test.for([
  { what: 'no model.bin', file: 'model.bin', content: undefined, message: 'holds no model of a known format' },
  {
    what: 'another kind of model',
    file: 'model.bin',
    content: ct2File([], { spec: 'TransformerSpec' }),
    message: 'TransformerSpec',
  },
  {
    what: 'a missing tensor',
    file: 'model.bin',
    content: ct2File(tinyVariables().slice(0, -1)),
    message: 'has no tensor',
  },
  { what: 'no config.json', file: 'config.json', content: undefined, message: 'config.json is missing' },
  { what: 'a broken config.json', file: 'config.json', content: '{', message: 'is not JSON' },
  {
    what: 'impossible alignment heads',
    file: 'config.json',
    content: '{"alignment_heads":[[7,0]]}',
    message: 'alignment_heads',
  },
  { what: 'no vocabulary', file: 'vocabulary.txt', content: undefined, message: 'has none of vocabulary.json' },
  { what: "another model's vocabulary", file: 'vocabulary.txt', content: 'a\nb\n', message: "it is not Whisper's" },
])(
  'says what is wrong with a folder with $what, and leaves nothing behind',
  async (broken, { expect, onTestFinished }) => {
    const { root, from, to } = await prepare(onTestFinished)
    const path = join(from, broken.file)
    if (broken.content === undefined) await rm(path)
    else await writeFile(path, broken.content)

    await expect(importModel({ from, to, precision: 'int8' })).rejects.toThrow(broken.message)
    expect(await readdir(root)).toEqual(['whisper-tiny.test'])
  },
)

test('a model with a truncated file is not loaded', async ({ expect, onTestFinished }) => {
  const { from, to } = await prepare(onTestFinished)
  await importModel({ from, to, precision: 'int8' })
  await truncate(join(to, 'decoder.weights'), 100)

  await expect(loadWhisper(to, 1)).rejects.toThrow('decoder.weights has 100 bytes instead of')
})

function greatestDifference(one: Float32Array | undefined, other: Float32Array | undefined): number {
  if (!one || !other || one.length !== other.length) return Number.NaN
  return one.reduce((largest, value, index) => Math.max(largest, Math.abs(value - (other[index] ?? 0))), 0)
}
