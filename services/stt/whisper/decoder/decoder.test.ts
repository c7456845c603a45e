import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test, type TestContext } from 'vitest'
import { importModel } from '../../models/import-model.ts'
import { TINY, writeTinyWhisper } from '../../models/testing.ts'
import { createDecoder, createDecoders, type Decoder, type Decoding } from './decoder.ts'
import { encode, type EncodedAudio } from '../encoder.ts'
import { loadWhisper, type WhisperModel } from '../whisper-model.ts'

const { vocabulary, positions: LONGEST } = TINY

async function loadTiny(onTestFinished: TestContext['onTestFinished']): Promise<WhisperModel> {
  const root = await mkdtemp(join(tmpdir(), 'aldea-decoder-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  await writeTinyWhisper(join(root, 'from'))
  await importModel({ from: join(root, 'from'), to: join(root, 'to'), precision: 'fp32' })
  return loadWhisper(join(root, 'to'), 1)
}

/** A sound of its own for each length. */
function hear(model: WhisperModel, positions: number, decoder?: Decoder): Promise<EncodedAudio> {
  const mel = Float32Array.from({ length: TINY.mels * 2 * positions }, (_, index) => Math.sin((positions * index) / 50))
  return encode(model.sessions.encoder, mel, model.manifest.dimensions, undefined, decoder?.room)
}

interface Feed {
  readonly tokens: readonly number[]
  readonly rows: number
  /** How much of what was fed before is taken back. */
  readonly back: number
  /** Whether that is another text, and the one before goes on after it. */
  readonly isAside: boolean
}

/** A text about an audio of so many positions. */
interface Text {
  readonly positions: number
  readonly inRoom: boolean
  readonly feeds: readonly Feed[]
}

interface Told {
  readonly logits: readonly number[]
  readonly attention: readonly number[]
}

function numbersOf(rows: readonly Float32Array[]): number[] {
  return rows.flatMap((row) => Array.from(row))
}

/** One text after the other. */
async function write(model: WhisperModel, decoder: Decoder, texts: readonly Text[]): Promise<Told[]> {
  const told: Told[] = []
  const feed = async (decoding: Decoding, { tokens, rows }: Feed): Promise<void> => {
    const logits = await decoding.feed(tokens, Math.min(rows, tokens.length))
    told.push({
      logits: numbersOf(logits),
      attention: numbersOf(decoding.attention),
    })
  }
  for (const { positions, inRoom, feeds } of texts) {
    const decoding = decoder.start(await hear(model, positions, inRoom ? decoder : undefined))
    await feed(decoding, { tokens: [11], rows: 1, back: 0, isAside: false })
    for (const next of feeds) {
      const on = next.isAside ? decoding.fork() : decoding
      on.truncate(Math.max(1, on.length - next.back))
      await feed(on, next)
    }
  }
  decoder.close()
  return told
}

const textsOfOne = fc.array(
  fc.record({
    positions: fc.integer({ min: 4, max: LONGEST }),
    inRoom: fc.boolean(),
    feeds: fc.array(
      fc.record({
        tokens: fc.array(fc.nat(vocabulary - 1), { minLength: 1, maxLength: 4 }),
        rows: fc.integer({ min: 1, max: 4 }),
        back: fc.nat(3),
        isAside: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
  }),
  { minLength: 1, maxLength: 2 },
)

test('texts that are written together are what each is alone, however they are fed, taken back and begun anew', async ({
  expect,
  onTestFinished,
}) => {
  const model = await loadTiny(onTestFinished)
  const { dimensions } = model.manifest
  const decoders = createDecoders(model.sessions.decoder, dimensions)

  await fc.assert(
    fc.asyncProperty(fc.array(textsOfOne, { minLength: 1, maxLength: 4 }), fc.nat(LONGEST), async (all, longest) => {
      const alone: Told[][] = []
      for (const own of all) alone.push(await write(model, createDecoder(model.sessions.decoder, dimensions), own))
      const opened = decoders.open(all.length, longest)
      const together = await Promise.all(all.map((own, index) => write(model, opened[index] as Decoder, own)))

      const near = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 4))
      expect(together).toEqual(
        alone.map((told) =>
          told.map(({ logits, attention }) => ({ logits: near(logits), attention: near(attention) })),
        ),
      )
    }),
    { numRuns: 60 },
  )
})

test('what cannot be fed fails those who were fed with it, and nothing after', async ({ expect, onTestFinished }) => {
  const model = await loadTiny(onTestFinished)
  const decoders = createDecoders(model.sessions.decoder, model.manifest.dimensions)
  const audio = await hear(model, 5)
  const texts = decoders.open(2, 5).map((decoder) => decoder.start(audio))

  const failed = await Promise.allSettled(texts.map((text, index) => text.feed([index === 0 ? vocabulary : 11], 1)))
  const [one, other] = await Promise.all(texts.map((text) => text.feed([11], 1)))

  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect([...(one?.[0] ?? [])]).toEqual([...(other?.[0] ?? [])])
})

test('a text or an audio whose memory has another in it cannot be gone on with', async ({ expect, onTestFinished }) => {
  const model = await loadTiny(onTestFinished)
  const decoder = createDecoder(model.sessions.decoder, model.manifest.dimensions)
  const first = await hear(model, 6, decoder)
  const text = decoder.start(first)
  await text.feed([11], 1)
  decoder.start(await hear(model, 5, decoder))

  await expect(text.feed([3], 1)).rejects.toThrow('Another text was started since.')
  expect(() => decoder.start(first)).toThrow('The memory of this audio has been used for another.')
})
