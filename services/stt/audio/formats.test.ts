import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpeechError } from '../errors.ts'
import { openDecoder } from './codecs/open-decoder.ts'
import type { Decoded } from './codecs/port.ts'
import { openAudioFile, openWav } from './file.ts'
import { boxesOf } from './containers/mp4-boxes.ts'
import { framesOfFragment } from './containers/mp4-frames.ts'
import { createOggReader } from './containers/ogg-pages.ts'
import { type AudioFormat, isPcm } from './format.ts'
import { joinSamples } from './join-samples.ts'
import { createNormaliser } from './normaliser.ts'
import { createPcmDecoder } from './pcm-decoder.ts'
import { mp4Box } from './testing.ts'

// The same 2.4 s of speech in every format (fixtures/audio/formats/README.md).

const FOLDER = 'fixtures/audio/formats'
const SECONDS = 2.4
/** Of each property and file. `npm run drill audio` takes a thousand. */
const RUNS = Number(process.env['ALDEA_AUDIO_RUNS'] ?? 3)

const FILES = [
  'fellow.mp3',
  'fellow.flac',
  'fellow.flac.ogg',
  'fellow.vorbis.ogg',
  'fellow.opus.ogg',
  'fellow.opus.webm',
  'fellow.vorbis.webm',
  'fellow.pcm.mka',
  'fellow.aac',
  'fellow.m4a',
  'fellow.fragmented.m4a',
  'fellow.alac.m4a',
  'fellow.opus.mp4',
] as const

/** MP4 that can be decoded as it comes. */
const MP4 = { encoding: 'mp4' } as const
const STREAMED = ['fellow.fragmented.m4a', 'fellow.opus.mp4'] as const

async function decode(bytes: Uint8Array, live?: AudioFormat): Promise<Float32Array> {
  const { format, audio } = openAudioFile(bytes, 600)
  const normaliser = await createNormaliser(live ?? format, 600)
  try {
    return joinSamples([await normaliser.push(audio), await normaliser.finish()])
  } finally {
    normaliser.close()
  }
}

/** What comes out of the decoder when the file is pushed in pieces, before it is resampled. */
async function decodeInPieces(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  format: AudioFormat = openAudioFile(bytes, 600).format,
): Promise<Float32Array> {
  if (isPcm(format)) throw new Error('This is about compressed audio.')
  const decoder = await openDecoder(format, 600)
  try {
    const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
    const parts: Decoded[] = []
    for (const [index, end] of edges.slice(1).entries()) {
      parts.push(...(await decoder.push(bytes.subarray(edges[index], end))))
    }
    parts.push(...(await decoder.finish()))
    return joinSamples(parts.map(({ samples }) => samples))
  } finally {
    decoder.close()
  }
}

/** Comparing tens of thousands of numbers one by one takes longer than decoding them. */
function same(one: Float32Array, other: Float32Array): boolean {
  return Buffer.from(one.buffer).equals(Buffer.from(other.buffer))
}

async function original(): Promise<Float32Array> {
  const { format, audio } = openWav(await readFile('fixtures/audio/jfk.wav'), 600)
  return createPcmDecoder(format)(audio).slice(0, SECONDS * 16_000)
}

const MOST_DELAY = 1_200
/** A quarter of a millisecond: the best delay is near the best of these. */
const DELAY_STEP = 4

/** Likeness of two sounds, 1 at most, at the delay where they are most alike. */
function likeness(one: Float32Array, other: Float32Array): number {
  const near = bestDelay(one, other, { from: -MOST_DELAY, to: MOST_DELAY, step: DELAY_STEP })
  return likenessAt(one, other, bestDelay(one, other, { from: near - DELAY_STEP, to: near + DELAY_STEP, step: 1 }))
}

interface Delays {
  readonly from: number
  readonly to: number
  readonly step: number
}

function bestDelay(one: Float32Array, other: Float32Array, { from, to, step }: Delays): number {
  let best = from
  let most = 0
  for (let delay = from; delay <= to; delay += step) {
    const found = likenessAt(one, other, delay)
    if (found <= most) continue
    most = found
    best = delay
  }
  return best
}

function likenessAt(one: Float32Array, other: Float32Array, delay: number): number {
  let product = 0
  let energyOfOne = 0
  let energyOfOther = 0
  for (let index = MOST_DELAY; index < one.length - MOST_DELAY; index += 3) {
    const a = one[index] ?? 0
    const b = other[index + delay] ?? 0
    product += a * b
    energyOfOne += a * a
    energyOfOther += b * b
  }
  return product / Math.sqrt(energyOfOne * energyOfOther)
}

test.for(FILES)('decodes %s whole', async (name) => {
  const whole = await decode(await readFile(`${FOLDER}/${name}`))

  // Encoders add silence before and after.
  const seconds = name === 'fellow.pcm.mka' ? 0.6 : SECONDS
  expect(whole.length / 16_000).toBeGreaterThan(seconds - 0.05)
  expect(whole.length / 16_000).toBeLessThan(seconds + 0.15)
  expect(likeness(whole, (await original()).slice(0, seconds * 16_000))).toBeGreaterThan(0.97)
})

/** What they begin with no field of theirs tells. */
const WITH_LEAD: ReadonlySet<string> = new Set(['fellow.aac', 'fellow.fragmented.m4a', 'fellow.opus.mp4'])

test.for(FILES.filter((name) => !WITH_LEAD.has(name)))('has the sound of %s where it was', async (name) => {
  const whole = await decode(await readFile(`${FOLDER}/${name}`))
  const recorded = (await original()).slice(0, whole.length)

  const delay = bestDelay(recorded, whole, { from: -MOST_DELAY, to: MOST_DELAY, step: DELAY_STEP })

  expect(Math.abs(delay)).toBeLessThanOrEqual(DELAY_STEP)
})

test.for(FILES)('decodes %s to the same samples however it is cut', async (name) => {
  const bytes = await readFile(`${FOLDER}/${name}`)
  const whole = await decodeInPieces(bytes)
  const cuts = fc.array(fc.nat(bytes.length), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      expect(same(await decodeInPieces(bytes, places), whole)).toBe(true)
    }),
    { numRuns: RUNS },
  )
})

test.for(STREAMED)('decodes %s as it comes, however it is cut, to what it is as a whole', async (name) => {
  const bytes = await readFile(`${FOLDER}/${name}`)
  const whole = await decodeInPieces(bytes, [], MP4)
  expect(likeness(await decode(bytes, MP4), await original())).toBeGreaterThan(0.97)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (places) => {
      expect(same(await decodeInPieces(bytes, places, MP4), whole)).toBe(true)
    }),
    { numRuns: RUNS },
  )
})

test('decodes sound of MP4 long before its end', async () => {
  for (const name of STREAMED) {
    const bytes = await readFile(`${FOLDER}/${name}`)
    const normaliser = await createNormaliser(MP4, 600)
    const early = await normaliser.push(bytes.subarray(0, bytes.length / 2))
    normaliser.close()
    expect(early.length / 16_000).toBeGreaterThan(0.8)
  }
})

test('decodes MP4 whose index comes first by its tables as it comes, and refuses one whose index comes last', async () => {
  const bytes = await readFile(`${FOLDER}/fellow.m4a`)

  const streamed = await decode(indexFirst(bytes), MP4)

  expect(likeness(streamed, await original())).toBeGreaterThan(0.97)
  // What the encoder put before the sound is left out of both.
  expect(streamed).toHaveLength((await decode(bytes)).length)
  await expect(decode(bytes, MP4)).rejects.toMatchObject({
    status: 415,
    message: expect.stringContaining('index comes before the sound'),
  })
})

/** The file as `qt-faststart` writes it. */
function indexFirst(file: Buffer): Buffer {
  const start = file.indexOf('moov') - 4
  const index = Buffer.from(file.subarray(start, start + file.readUInt32BE(start)))
  // One chunk, whose place moves with the rest.
  const chunks = index.indexOf('stco')
  expect(index.readUInt32BE(chunks + 8)).toBe(1)
  index.writeUInt32BE(index.readUInt32BE(chunks + 12) + index.length, chunks + 12)
  const audio = file.indexOf('mdat') - 4
  return Buffer.concat([file.subarray(0, audio), index, file.subarray(audio, start)])
}

test('says of a file of MP4 that is cut before its index that it has none', async () => {
  const bytes = await readFile(`${FOLDER}/fellow.m4a`)
  await expect(decode(bytes.subarray(0, 15_000))).rejects.toMatchObject({
    status: 415,
    message: 'The M4A file has no index: it may be cut short.',
  })
})

test('decodes a file of MP4 with Opus whose index comes last', async () => {
  const bytes = await readFile(`${FOLDER}/fellow.opus.mp4`)
  const frames = boxesOf(bytes)
    .filter(({ type }) => type === 'moof')
    .flatMap(({ start, end }) => framesOfFragment(bytes.subarray(start, end), start, { id: 1, usualSize: 0 }))
  const head = bytes.subarray(0, bytes.readUInt32BE(0))
  const sound = mp4Box('mdat', [], ...frames.map(({ start, size }) => bytes.subarray(start, start + size)))
  const described = bytes.indexOf('stsd') - 4
  const tables = mp4Box(
    'stbl',
    [],
    bytes.subarray(described, described + bytes.readUInt32BE(described)),
    mp4Box('stsz', [0, 0, frames.length, ...frames.map(({ size }) => size)]),
    mp4Box('stsc', [0, 1, 1, frames.length, 1]),
    mp4Box('stco', [0, 1, head.length + 8]),
  )
  const handler = mp4Box('hdlr', [0, 0, Buffer.from('soun').readUInt32BE()])
  const media = mp4Box('mdia', [], handler, mp4Box('minf', [], tables))
  const index = mp4Box('moov', [], mp4Box('trak', [], mp4Box('tkhd', [0, 0, 0, 1]), media))

  const whole = await decodeInPieces(bytes)
  expect(same(await decodeInPieces(Buffer.concat([head, sound, index])), whole)).toBe(true)
})

test('refuses an MP4 recording that says little and is hours of silence', async () => {
  const bytes = await readFile(`${FOLDER}/fellow.opus.mp4`)
  for (const encoding of ['mp4', 'm4a'] as const) {
    const normaliser = await createNormaliser({ encoding }, 4)
    const long = Buffer.concat([bytes, ...Array.from({ length: 40 }, silentFragment)])
    const hearing = normaliser.push(long).then(() => normaliser.finish())
    await expect(hearing).rejects.toMatchObject({ status: 413 })
    normaliser.close()
  }
})

/** A fragment with twenty packets of one byte, each 60 ms of silence. */
function silentFragment(): Buffer {
  const packets = Buffer.alloc(20, 3 << 3)
  const header = mp4Box('tfhd', [0x02_00_10, 1, 1])
  const run = (offset: number): Buffer => mp4Box('trun', [0x1, packets.length, offset])
  const fragment = (offset: number): Buffer => mp4Box('moof', [], mp4Box('traf', [], header, run(offset)))
  return Buffer.concat([fragment(fragment(0).length + 8), mp4Box('mdat', [], packets)])
}

test.for(FILES)('takes %s cut short or damaged as far as it goes, or refuses it', async (name) => {
  const bytes = await readFile(`${FOLDER}/${name}`)
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 })), {
    maxLength: 5,
  })
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(bytes.length), async (changes, length) => {
      const broken = Buffer.from(bytes.subarray(0, length))
      for (const [at, change] of changes) broken.set(change.slice(0, Math.max(0, length - at)), Math.min(at, length))
      for (const live of name.endsWith('.mp4') || name.endsWith('.m4a') ? [undefined, MP4] : [undefined]) {
        const samples = await decode(broken, live).catch((error: unknown) => {
          if (error instanceof SpeechError) return new Float32Array(0)
          throw error
        })
        expect(samples.every(Number.isFinite)).toBe(true)
      }
    }),
    { numRuns: RUNS },
  )
})

test('decodes packets of Opus without a container', async () => {
  const packets = createOggReader()(await readFile(`${FOLDER}/fellow.opus.ogg`)).flatMap((page) => page.packets)
  const normaliser = await createNormaliser({ encoding: 'opus', channels: 1 }, 600)
  const parts: Float32Array[] = []
  // The first two packets are the header and the tags.
  for (const packet of [new Uint8Array(0), ...packets.slice(2)]) parts.push(await normaliser.push(packet))
  parts.push(await normaliser.finish())
  normaliser.close()
  expect(likeness(joinSamples(parts), await original())).toBeGreaterThan(0.97)
})

test('stops where a few bytes become hours of audio', async () => {
  const normaliser = await createNormaliser({ encoding: 'ogg' }, 4)
  const bytes = Buffer.concat([await readFile(`${FOLDER}/fellow.opus.ogg`), ...Array.from({ length: 400 }, silentPage)])
  await expect(normaliser.push(bytes)).rejects.toMatchObject({ status: 413 })
  normaliser.close()
})

test('refuses an M4A file that says it is too long before it is decoded', async () => {
  const bytes = await readFile(`${FOLDER}/fellow.m4a`)
  const normaliser = await createNormaliser({ encoding: 'm4a' }, 1)
  await normaliser.push(bytes)
  await expect(normaliser.finish()).rejects.toMatchObject({
    status: 413,
    message: expect.stringContaining('2.4 s long'),
  })
})

const SERIAL = 0x1e6f28da

/** A page of the fixture's stream with 255 packets of one byte, each 60 ms of silence. */
function silentPage(): Buffer {
  const page = Buffer.alloc(27 + 255 + 255)
  page.write('OggS', 'latin1')
  page.writeUInt32LE(SERIAL, 14)
  page.fill(1, 26, 27 + 255)
  page[26] = 255
  page.fill(3 << 3, 27 + 255)
  return page
}

test.for([
  ['fellow.flac.ogg', 18_152],
  ['fellow.vorbis.ogg', 8_391],
] as const)('takes %s, cut at byte %i in the head of a page, as far as it goes', async ([name, length]) => {
  const cut = (await readFile(`${FOLDER}/${name}`)).subarray(0, length)
  expect((await decode(cut)).length).toBeGreaterThan(8_000)
})

test('refuses a sample rate that no recording has', async () => {
  const bytes = await readFile(`${FOLDER}/fellow.vorbis.ogg`)
  // In Vorbis' identification header; its page's checksum is not looked at.
  bytes.writeUInt32LE(256, 40)

  await expect(decode(bytes)).rejects.toMatchObject({ status: 415, message: expect.stringContaining('256 Hz') })
})
