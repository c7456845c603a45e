import { readFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { test } from 'vitest'
import { SpeechError } from '../errors.ts'
import { createLiveInput } from './live-input.ts'
import type { DeclaredEncoding, LiveFormat } from './live-input.ts'
import { createNormaliser } from './normaliser.ts'
import { bytes16, wav } from './testing.ts'

const RAW: LiveFormat = { encoding: 's16', sampleRateHz: 16_000, channels: 1 }

/** Cuts bytes at random places. */
function cuts(bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  return fc.array(fc.nat(bytes.length), { maxLength: 20 }).map((places) => {
    const edges = [0, ...places.toSorted((a, b) => a - b), bytes.length]
    return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end))
  })
}

/** A second of a changing tone. */
function sound(sampleRateHz: number): number[] {
  return Array.from({ length: sampleRateHz }, (_, index) =>
    Math.round(9_000 * Math.sin((index * index) / sampleRateHz / 9)),
  )
}

async function hear(
  declared: LiveFormat,
  parts: readonly Uint8Array[],
): Promise<{ samples: number[]; seconds: number | undefined }> {
  const input = createLiveInput(declared)
  const pieces = [...parts, undefined].flatMap((part) => (part ? input.push(part) : input.finish()))
  if (!input.format) return { samples: [], seconds: input.seconds }
  const normaliser = await createNormaliser(input.format, 600)
  const samples: Float32Array[] = []
  for (const piece of pieces) samples.push(await normaliser.push(piece))
  samples.push(await normaliser.finish())
  normaliser.close()
  return { samples: samples.flatMap((each) => Array.from(each)), seconds: input.seconds }
}

test.for([
  { name: 'raw 16 kHz', declared: RAW, bytes: bytes16(sound(16_000)) },
  { name: 'raw 8 kHz stereo', declared: { ...RAW, sampleRateHz: 8_000, channels: 2 }, bytes: bytes16(sound(16_000)) },
  { name: 'raw 44.1 kHz', declared: { ...RAW, sampleRateHz: 44_100 }, bytes: bytes16(sound(44_100)) },
  {
    name: 'a WAV stream declared as raw audio of another rate',
    declared: { ...RAW, sampleRateHz: 44_100 },
    bytes: wav({ sampleRateHz: 48_000, data: bytes16(sound(48_000)), dataBytes: 0 }),
  },
  {
    name: 'µ-law',
    declared: { ...RAW, encoding: 'mulaw', sampleRateHz: 8_000 } as const,
    bytes: Uint8Array.from(sound(8_000)),
  },
])('hears the same however the stream is cut: $name', async ({ declared, bytes }, { expect }) => {
  const whole = await hear(declared, [bytes])
  expect(whole.seconds).toBe(1)
  expect(whole.samples).toHaveLength(16_000)

  await fc.assert(
    fc.asyncProperty(cuts(bytes), async (parts) => {
      expect(await hear(declared, parts)).toEqual(whole)
    }),
    { numRuns: 15 },
  )
})

test('keeps the pitch and the level of what it resamples', async ({ expect }) => {
  const tone = (rateHz: number): number[] =>
    Array.from({ length: rateHz }, (_, index) => Math.round(16_384 * Math.sin((2 * Math.PI * 440 * index) / rateHz)))
  const { samples } = await hear({ ...RAW, sampleRateHz: 48_000 }, [bytes16(tone(48_000))])
  const expected = tone(16_000).map((sample) => sample / 32_768)
  const worst = Math.max(
    ...samples.slice(500, 15_000).map((sample, index) => Math.abs(sample - (expected[index + 500] ?? 0))),
  )
  expect(worst).toBeLessThan(0.001)
})

test.for([
  ['mp3 with a tag', 'mp3', Buffer.from('ID3\x04\0\0\0\0\0\0\0\0')],
  ['mp3 by two frames', 'mp3', mpegFrames()],
  ['aac by two frames', 'aac', adtsFrames()],
  ['ogg', 'ogg', Buffer.from('OggS\0\x02\0\0\0\0\0\0')],
  ['webm', 'webm', Buffer.from('\x1a\x45\xdf\xa3\0\0\0\0\0\0\0\0', 'latin1')],
  ['flac', 'flac', Buffer.from('fLaC\0\0\0\x22\0\0\0\0')],
  ['mp4', 'mp4', Buffer.from('\0\0\0\x20ftypM4A ')],
] as const)('knows %s by its signature, whatever was declared', ([, encoding, bytes], { expect }) => {
  for (const declared of ['unknown', 'wav', 'mp3'] as const) {
    const input = createLiveInput({ ...RAW, encoding: declared })
    expect(Buffer.concat(input.push(bytes))).toEqual(bytes)
    expect(input).toMatchObject({ format: { encoding }, seconds: undefined })
  }
})

test.for([
  ['mp3', 'fellow.mp3'],
  ['aac', 'fellow.aac'],
] as const)('knows %s that is joined in the middle of a frame, as radio is', async ([encoding, name], { expect }) => {
  const bytes = await readFile(`fixtures/audio/formats/${name}`)
  for (const declared of ['unknown', encoding] as const) {
    for (const start of [1_001, 2_345, 7_777]) {
      const input = createLiveInput({ ...RAW, encoding: declared })
      for (let at = start; at < start + 5_000; at += 300) input.push(bytes.subarray(at, at + 300))
      expect(input.format).toEqual({ encoding })
    }
  }
})

test('refuses a container that nobody here decodes by its name', ({ expect }) => {
  expect(() => createLiveInput({ ...RAW, encoding: 'unknown' }).push(Buffer.from('FORM\0\0\0\0AIFF'))).toThrow(
    expect.objectContaining({ status: 415, message: expect.stringMatching('^AIFF audio') }),
  )
})

test('takes each piece for a packet where Opus was declared, unless it is in a container', ({ expect }) => {
  const opus: LiveFormat = { ...RAW, encoding: 'opus', channels: 2 }
  const packets = createLiveInput(opus)
  expect([...packets.push(Buffer.from([0xfc, 1])), ...packets.push(Buffer.from([0xfc, 2]))]).toHaveLength(2)
  expect(packets.format).toEqual({ encoding: 'opus', channels: 2 })
  const ogg = createLiveInput(opus)
  ogg.push(Buffer.from('OggS\0\x02\0\0\0\0\0\0'))
  expect(ogg.format).toEqual({ encoding: 'ogg' })
})

test('takes quiet raw audio that looks like an MPEG frame for what it is', async ({ expect }) => {
  // −5 as s16le is FB FF: over and over it has the bits of a frame header at every odd byte.
  const bytes = new Uint8Array(bytes16(Array.from({ length: 4_000 }, () => -5))).subarray(1)
  expect((await hear({ ...RAW, encoding: 'unknown' }, [bytes])).samples).toHaveLength(3_999)
})

test('takes even a few bytes for raw audio when the stream ends', async ({ expect }) => {
  expect((await hear({ ...RAW, encoding: 'unknown' }, [Buffer.from('RI')])).samples).toHaveLength(1)
  expect((await hear(RAW, [Buffer.from('RIFF')])).samples).toHaveLength(2)
})

test('wants a header where WAV was declared', ({ expect }) => {
  const input = createLiveInput({ ...RAW, encoding: 'wav' })
  expect(() => input.push(new Uint8Array(3_000))).toThrow(expect.objectContaining({ status: 415 }))
})

test('answers any bytes in any cuts with audio or a refusal', async ({ expect }) => {
  const encoding = fc.constantFrom<DeclaredEncoding>('s16', 'mulaw', 'alaw', 'wav', 'unknown')
  const start = fc.constantFrom('', 'RIFF', 'RIFF\0\0\0\0WAVE', 'RIFF\0\0\0\0WAVEfmt \x10\0\0\0', 'ID3', '\xff\xfb')
  const stream = fc
    .tuple(start, fc.uint8Array({ maxLength: 400 }))
    .chain(([head, rest]) => cuts(Buffer.concat([Buffer.from(head, 'latin1'), rest])))
  await fc.assert(
    fc.asyncProperty(encoding, stream, async (declared, parts) => {
      try {
        const { samples } = await hear({ ...RAW, encoding: declared }, parts)
        expect(samples.every(Number.isFinite)).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(SpeechError)
      }
    }),
    { numRuns: 60 },
  )
})

/** Two MPEG-1 layer III frames of 128 kbit/s at 44.1 kHz, 417 bytes each. */
function mpegFrames(): Buffer {
  const bytes = Buffer.alloc(900)
  for (const offset of [0, 417]) bytes.set([0xff, 0xfb, 0x90, 0x00], offset)
  return bytes
}

/** Two ADTS frames of 100 bytes. */
function adtsFrames(): Buffer {
  const bytes = Buffer.alloc(250)
  for (const offset of [0, 100]) bytes.set([0xff, 0xf1, 0x50, 0x80, 100 >> 3, (100 & 7) << 5, 0], offset)
  return bytes
}
