import * as fc from 'fast-check'
import { describe, test } from 'vitest'
import { readWavHeader } from './wav-header.ts'

describe('a WAV header', () => {
  test('of 16-bit samples tells rate, channels and where the samples are', ({ expect }) => {
    const bytes = wav({ tag: 1, channels: 2, sampleRateHz: 44_100, bitsPerSample: 16, dataBytes: 400 })

    expect(readWavHeader(bytes)).toEqual({
      state: 'wav',
      header: {
        encoding: 'linear16',
        sampleRateHz: 44_100,
        channels: 2,
        bytesPerSecond: 176_400,
        dataOffset: 44,
        dataBytes: 400,
      },
    })
  })

  test('of the extensible kind is read through to its real coding', ({ expect }) => {
    const extra = Buffer.alloc(24)
    extra.writeUInt16LE(22, 0)
    extra.writeUInt16LE(1, 8)
    const bytes = wav({ tag: 0xfffe, channels: 1, sampleRateHz: 16_000, bitsPerSample: 16, dataBytes: 2, extra })

    expect(readWavHeader(bytes)).toMatchObject({ state: 'wav', header: { encoding: 'linear16' } })
  })

  test('of µ-law needs to travel with its samples', ({ expect }) => {
    const bytes = wav({ tag: 7, channels: 1, sampleRateHz: 8_000, bitsPerSample: 8, dataBytes: 80 })

    expect(readWavHeader(bytes)).toMatchObject({ state: 'wav', header: { encoding: 'other', bytesPerSecond: 8_000 } })
  })

  test.for([0, 0xffffffff])('with a length of %i has samples to the end of the stream', (dataBytes, { expect }) => {
    const bytes = wav({ tag: 1, channels: 1, sampleRateHz: 16_000, bitsPerSample: 16, dataBytes })

    const reading = readWavHeader(bytes)

    expect(reading).toMatchObject({ state: 'wav', header: { dataBytes: undefined } })
  })

  test('may hold other chunks, of odd length too, before the samples', ({ expect }) => {
    const bytes = wav({ tag: 1, channels: 1, sampleRateHz: 16_000, bitsPerSample: 16, dataBytes: 2, note: 'odd' })

    expect(readWavHeader(bytes)).toMatchObject({ state: 'wav', header: { dataOffset: 44 + 12 } })
  })

  test('is incomplete until its last byte, whatever it is cut into', ({ expect }) => {
    const bytes = wav({ tag: 1, channels: 1, sampleRateHz: 16_000, bitsPerSample: 16, dataBytes: 2, note: 'a note' })
    const whole = readWavHeader(bytes)

    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length }), (length) => {
        const reading = readWavHeader(bytes.subarray(0, length))
        expect(reading).toEqual(whole.state === 'wav' && length >= whole.header.dataOffset ? whole : INCOMPLETE)
      }),
    )
  })

  test.for([
    ['samples before their format', Buffer.from('RIFF\0\0\0\0WAVEdata\0\0\0\0', 'latin1')],
    ['a rate of zero', wav({ tag: 1, channels: 1, sampleRateHz: 0, bitsPerSample: 16, dataBytes: 2 })],
  ] as const)('with %s is broken', ([, bytes], { expect }) => {
    expect(readWavHeader(bytes)).toMatchObject({ state: 'broken' })
  })

  test('never throws, whatever the bytes are', ({ expect }) => {
    const start = Buffer.from('RIFF\0\0\0\0WAVE', 'latin1')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        expect(readWavHeader(Buffer.concat([start, rest])).state).not.toBe('not-wav')
        expect(readWavHeader(Buffer.from(rest))).toBeDefined()
      }),
    )
  })
})

const INCOMPLETE = { state: 'incomplete' }

function wav(options: {
  tag: number
  channels: number
  sampleRateHz: number
  bitsPerSample: number
  dataBytes: number
  extra?: Buffer
  note?: string
}): Buffer {
  const { tag, channels, sampleRateHz, bitsPerSample, dataBytes, extra = Buffer.alloc(0), note } = options
  const format = Buffer.alloc(16)
  const frameBytes = (channels * bitsPerSample) / 8
  format.writeUInt16LE(tag, 0)
  format.writeUInt16LE(channels, 2)
  format.writeUInt32LE(sampleRateHz, 4)
  format.writeUInt32LE(sampleRateHz * frameBytes, 8)
  format.writeUInt16LE(frameBytes, 12)
  format.writeUInt16LE(bitsPerSample, 14)
  return Buffer.concat([
    Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'),
    ...(note === undefined ? [] : [chunk('LIST', Buffer.from(note))]),
    chunk('fmt ', Buffer.concat([format, extra])),
    chunk('data', Buffer.alloc(0), dataBytes),
  ])
}

function chunk(id: string, body: Buffer, size = body.length): Buffer {
  const head = Buffer.alloc(8)
  head.write(id, 'latin1')
  head.writeUInt32LE(size, 4)
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)])
}
