import * as fc from 'fast-check'
import { test } from 'vitest'
import { SpeechError } from '../errors.ts'
import { openAudioFile, openWav } from './file.ts'
import { createPcmDecoder } from './pcm-decoder.ts'
import { bytes16, chunk, wav } from './testing.ts'

// A quarter and minus a half of full scale, in every encoding.
test.for([
  { name: '8-bit PCM', tag: 1, bits: 8, data: [160, 64], expected: [0.25, -0.5] },
  { name: '16-bit PCM', tag: 1, bits: 16, data: [0x00, 0x20, 0x00, 0xc0], expected: [0.25, -0.5] },
  { name: '24-bit PCM', tag: 1, bits: 24, data: [0, 0, 0x20, 0, 0, 0xc0], expected: [0.25, -0.5] },
  { name: '32-bit PCM', tag: 1, bits: 32, data: [0, 0, 0, 0x20, 0, 0, 0, 0xc0], expected: [0.25, -0.5] },
  { name: '32-bit float', tag: 3, bits: 32, data: [0, 0, 0x80, 0x3e, 0, 0, 0, 0xbf], expected: [0.25, -0.5] },
  {
    name: '64-bit float',
    tag: 3,
    bits: 64,
    data: [0, 0, 0, 0, 0, 0, 0xd0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0xbf],
    expected: [0.25, -0.5],
  },
  // G.711: µ-law 0x80 is the loudest positive value (32124), 0xff silence; A-law 0xaa is 32256, 0xd5 the smallest (8).
  { name: 'µ-law', tag: 7, bits: 8, data: [0x80, 0x00, 0xff], expected: [32_124 / 32_768, -32_124 / 32_768, 0] },
  {
    name: 'A-law',
    tag: 6,
    bits: 8,
    data: [0xaa, 0x2a, 0xd5],
    expected: [32_256 / 32_768, -32_256 / 32_768, 8 / 32_768],
  },
])('reads $name', ({ tag, bits, data, expected }, { expect }) => {
  const { format, audio } = openWav(wav({ tag, bits, data: Uint8Array.from(data) }), 600)
  expect(Array.from(createPcmDecoder(format)(audio))).toEqual(expected.map(Math.fround))
})

test('mixes channels to one', ({ expect }) => {
  const file = openWav(wav({ channels: 2, data: bytes16([8_192, 16_384, -16_384, 0]) }), 600)
  expect(file.format.channels).toBe(2)
  expect(Array.from(createPcmDecoder(file.format)(file.audio))).toEqual([0.375, -0.25])
})

test('reads the extensible form', ({ expect }) => {
  const guid = [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]
  const extension = Uint8Array.from([22, 0, 16, 0, 4, 0, 0, 0, ...guid])
  const { format } = openAudioFile(wav({ tag: 0xfffe, extension, data: bytes16([1]) }), 600)
  expect(format).toEqual({ encoding: 's16', sampleRateHz: 16_000, channels: 1 })
})

test('passes over other chunks, also of odd length', ({ expect }) => {
  const before = Buffer.concat([chunk('JUNK', Buffer.alloc(28)), chunk('LIST', Buffer.from('odd'))])
  const data = bytes16([1, 2, 3])
  const file = openAudioFile(Buffer.concat([wav({ data, before }), chunk('LIST', Buffer.from('trailer'))]), 600)
  expect(Array.from(file.audio)).toEqual(Array.from(data))
})

test('reads RF64 with its long sizes', ({ expect }) => {
  const sizes = Buffer.alloc(28)
  sizes.writeBigUInt64LE(4n, 8)
  const file = openAudioFile(
    Buffer.concat([
      wav({ id: 'RF64', before: chunk('ds64', sizes), data: bytes16([1, 2]), dataBytes: 0xffffffff }),
      bytes16([9]),
    ]),
    600,
  )
  expect(file.audio).toHaveLength(4)
})

test.for([0, 0xffffffff, 1_000_000])('takes all there is when the data size is %i', (dataBytes, { expect }) => {
  const file = openAudioFile(wav({ sampleRateHz: 8_000, dataBytes, data: Buffer.alloc(16_000) }), 600)
  expect(file).toMatchObject({ audio: { length: 16_000 }, format: { sampleRateHz: 8_000 } })
})

test.for([
  { name: 'IMA ADPCM', file: wav({ tag: 0x11, bits: 4, data: Buffer.alloc(9) }), error: /WAV with IMA ADPCM/ },
  { name: 'MP3 in WAV', file: wav({ tag: 0x55, bits: 0, data: Buffer.alloc(9) }), error: /WAV with MP3/ },
  { name: '40-bit PCM', file: wav({ bits: 40, data: Buffer.alloc(9) }), error: /codec 0x0001 of 40 bits/ },
  { name: 'no channels', file: wav({ channels: 0, data: Buffer.alloc(9) }), error: /declares 0 channels/ },
  { name: 'no sample rate', file: wav({ sampleRateHz: 0, data: Buffer.alloc(9) }), error: /sample rate of 0 Hz/ },
  { name: 'a cut header', file: wav({ data: Buffer.alloc(9) }).subarray(0, 30), error: /ends before its audio starts/ },
  {
    name: 'data before its format',
    file: Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), chunk('data', Buffer.alloc(4))]),
    error: /no format before its data/,
  },
  {
    name: 'the big-endian form',
    file: wav({ id: 'RIFX', data: Buffer.alloc(9) }),
    error: /RIFX audio is not supported/,
  },
])('refuses $name with 415', ({ file, error }, { expect }) => {
  expect(() => openAudioFile(file, 600)).toThrow(
    expect.objectContaining({ status: 415, message: expect.stringMatching(error) }),
  )
})

test('knows the length from the header, before anything is decoded', ({ expect }) => {
  const file = wav({ sampleRateHz: 1_000, bits: 8, data: Buffer.alloc(601_000) })
  expect(() => openAudioFile(file, 600)).toThrow(expect.objectContaining({ status: 413 }))
  expect(openAudioFile(file, 601).audio).toHaveLength(601_000)
})

test('answers any bytes with audio or a refusal', ({ expect }) => {
  const real = wav({ data: bytes16([1, 2, 3, 4]) })
  const damaged = fc
    .array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => changes.reduce((bytes, [at, value]) => bytes.fill(value, at, at + 1), Buffer.from(real)))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 3_000 }), damaged), (bytes) => {
      try {
        const { format, audio } = openWav(bytes, 600)
        const samples = createPcmDecoder(format)(audio)
        expect(samples.every(Number.isFinite)).toBe(true)
        expect(samples.length).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toBeInstanceOf(SpeechError)
      }
    }),
  )
})
