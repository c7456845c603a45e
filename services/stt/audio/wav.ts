import { SpeechError } from '../errors.ts'
import { bytesPerFrame } from './format.ts'
import type { PcmFormat, SampleEncoding } from './format.ts'
import { assertSampleRate } from './refusals.ts'

/** Where the samples of a WAV file are. */
export interface WavHeader {
  readonly format: PcmFormat
  /** Where the first sample starts. */
  readonly dataOffset: number
  /** As declared; undefined where the writer did not know it (0, 0xFFFFFFFF): the data goes to the end. */
  readonly dataBytes: number | undefined
}

// A bound for nonsense, far beyond any recording: it keeps one file from asking for unbounded memory or time.
const MAX_CHANNELS = 64

// WAVE format tags (RFC 2361).
const PCM = 0x0001
const FLOAT = 0x0003
const ALAW = 0x0006
const MULAW = 0x0007
const EXTENSIBLE = 0xfffe
const NAMED_TAGS: Readonly<Record<number, string>> = {
  0x0002: 'Microsoft ADPCM',
  0x0011: 'IMA ADPCM',
  0x0031: 'GSM 6.10',
  0x0050: 'MPEG',
  0x0055: 'MP3',
  0x00ff: 'AAC',
}

/**
 * Reads the header of a RIFF or RF64 file from its beginning.
 * @returns `incomplete` when the samples start beyond `bytes`.
 * @throws {@link SpeechError} 415 for what is not WAV or holds a codec this server does not know.
 */
export function readWavHeader(bytes: Uint8Array): WavHeader | 'incomplete' {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12) return 'incomplete'
  if (!isWav(bytes)) throw new SpeechError(415, 'This is not a WAV file.')

  let format: PcmFormat | undefined
  let longDataBytes: number | undefined
  let offset = 12
  while (offset + 8 <= bytes.length) {
    const id = idAt(bytes, offset)
    const size = view.getUint32(offset + 4, true)
    const body = offset + 8
    if (id === 'data') {
      if (!format) throw new SpeechError(415, 'The WAV file has no format before its data.')
      const dataBytes = size === 0xffffffff ? longDataBytes : size
      return { format, dataOffset: body, dataBytes: dataBytes === 0 ? undefined : dataBytes }
    }
    if (body + size > bytes.length) return 'incomplete'
    if (id === 'fmt ') format = readFormat(new DataView(view.buffer, view.byteOffset + body, size))
    // RF64 (EBU Tech 3306): sizes beyond 4 GiB stand here; the data size is the second of its numbers.
    if (id === 'ds64' && size >= 16) longDataBytes = Number(view.getBigUint64(body + 8, true))
    // Chunks start at even offsets.
    offset = body + size + (size % 2)
  }
  return 'incomplete'
}

export function isWav(bytes: Uint8Array): boolean {
  if (bytes.length < 12 || idAt(bytes, 8) !== 'WAVE') return false
  const id = idAt(bytes, 0)
  return id === 'RIFF' || id === 'RF64'
}

function readFormat(view: DataView): PcmFormat {
  if (view.byteLength < 16) throw new SpeechError(415, 'The WAV file has a damaged format chunk.')
  const declaredTag = view.getUint16(0, true)
  // The first two bytes of the extensible GUID are the tag proper.
  const tag = declaredTag === EXTENSIBLE && view.byteLength >= 26 ? view.getUint16(24, true) : declaredTag
  const channels = view.getUint16(2, true)
  const sampleRateHz = view.getUint32(4, true)
  if (channels === 0 || channels > MAX_CHANNELS) {
    throw new SpeechError(415, `The WAV file declares ${channels} channels.`)
  }
  assertSampleRate('WAV file', sampleRateHz)

  // Odd widths (12 or 20 bits) stand left-aligned in their container, so the container decides.
  const container = view.getUint16(12, true) / channels
  const sampleBytes = Number.isInteger(container) && container > 0 ? container : Math.ceil(view.getUint16(14, true) / 8)
  const encoding = encodingOf(tag, sampleBytes)
  const format = { encoding, sampleRateHz, channels }
  if (bytesPerFrame(format) !== sampleBytes * channels) throw unsupported(tag, sampleBytes)
  return format
}

function encodingOf(tag: number, sampleBytes: number): SampleEncoding {
  const integers: Readonly<Record<number, SampleEncoding>> = { 1: 'u8', 2: 's16', 3: 's24', 4: 's32' }
  const floats: Readonly<Record<number, SampleEncoding>> = { 4: 'f32', 8: 'f64' }
  const encodings: Readonly<Record<number, SampleEncoding | undefined>> = {
    [PCM]: integers[sampleBytes],
    [FLOAT]: floats[sampleBytes],
    [ALAW]: 'alaw',
    [MULAW]: 'mulaw',
  }
  const encoding = encodings[tag]
  if (!encoding) throw unsupported(tag, sampleBytes)
  return encoding
}

function unsupported(tag: number, sampleBytes: number): SpeechError {
  const name = NAMED_TAGS[tag] ?? `codec 0x${tag.toString(16).padStart(4, '0')} of ${sampleBytes * 8} bits`
  return new SpeechError(415, `WAV with ${name} is not supported; PCM, float, µ-law and A-law are.`)
}

function idAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4))
}
