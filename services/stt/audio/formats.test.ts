import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpeechError } from '../errors.ts'
import { openDecoder } from './codecs/open-decoder.ts'
import type { Decoded } from './codecs/port.ts'
import { openAudioFile, openWav } from './file.ts'
import { createOggReader } from './containers/ogg-pages.ts'
import { isPcm } from './format.ts'
import { joinSamples } from './join-samples.ts'
import { createNormaliser } from './normaliser.ts'
import { createPcmDecoder } from './pcm-decoder.ts'

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
] as const

async function decode(bytes: Uint8Array): Promise<Float32Array> {
  const { format, audio } = openAudioFile(bytes, 600)
  const normaliser = await createNormaliser(format, 600)
  try {
    return joinSamples([await normaliser.push(audio), await normaliser.finish()])
  } finally {
    normaliser.close()
  }
}

/** What comes out of the decoder when the file is pushed in pieces, before it is resampled. */
async function decodeInPieces(bytes: Uint8Array, cuts: readonly number[] = []): Promise<Float32Array> {
  const { format } = openAudioFile(bytes, 600)
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

/** Likeness of two sounds, 1 at most, at the delay where they are most alike. */
function likeness(one: Float32Array, other: Float32Array): number {
  let best = 0
  for (let delay = -1_200; delay <= 1_200; delay += 1) {
    let product = 0
    let energyOfOne = 0
    let energyOfOther = 0
    for (let index = 1_200; index < one.length - 1_200; index += 3) {
      const a = one[index] ?? 0
      const b = other[index + delay] ?? 0
      product += a * b
      energyOfOne += a * a
      energyOfOther += b * b
    }
    best = Math.max(best, product / Math.sqrt(energyOfOne * energyOfOther))
  }
  return best
}

test.for(FILES)('decodes %s whole', async (name) => {
  const whole = await decode(await readFile(`${FOLDER}/${name}`))

  // Encoders add silence before and after.
  const seconds = name === 'fellow.pcm.mka' ? 0.6 : SECONDS
  expect(whole.length / 16_000).toBeGreaterThan(seconds - 0.05)
  expect(whole.length / 16_000).toBeLessThan(seconds + 0.15)
  expect(likeness(whole, (await original()).slice(0, seconds * 16_000))).toBeGreaterThan(0.97)
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

test.for(FILES)('takes %s cut short or damaged as far as it goes, or refuses it', async (name) => {
  const bytes = await readFile(`${FOLDER}/${name}`)
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 40 })), {
    maxLength: 5,
  })
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(bytes.length), async (changes, length) => {
      const broken = Buffer.from(bytes.subarray(0, length))
      for (const [at, change] of changes) broken.set(change.slice(0, Math.max(0, length - at)), Math.min(at, length))
      const samples = await decode(broken).catch((error: unknown) => {
        if (error instanceof SpeechError) return new Float32Array(0)
        throw error
      })
      expect(samples.every(Number.isFinite)).toBe(true)
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
