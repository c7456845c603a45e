/** What a client must know of a WAV file to send it at the speed it was spoken. */
export interface WavHeader {
  /** `linear16` can be sent without its header; everything else needs it. */
  readonly encoding: 'linear16' | 'other'
  readonly sampleRateHz: number
  readonly channels: number
  readonly bytesPerSecond: number
  /** Where the samples begin. */
  readonly dataOffset: number
  /** Length of the samples; absent when the writer did not know it, as on a pipe. */
  readonly dataBytes: number | undefined
}

export type WavReading =
  | { readonly state: 'wav'; readonly header: WavHeader }
  /** More bytes are needed to tell. */
  | { readonly state: 'incomplete' }
  | { readonly state: 'not-wav' }
  | { readonly state: 'broken'; readonly reason: string }

const PCM = 0x0001
const EXTENSIBLE = 0xfffe
/** Smallest `fmt ` chunk that tells anything. */
const FORMAT_BYTES = 16
/** A chunk size of all ones, or a data chunk of none: the writer streamed and could not come back to fill it in. */
const UNKNOWN_SIZES: ReadonlySet<number> = new Set([0, 0xffffffff])

/** Reads the beginning of what may be a WAV file: RIFF chunks up to `data`, little endian. */
export function readWavHeader(bytes: Buffer): WavReading {
  if (!isPrefix(bytes, 'RIFF', 0) || !isPrefix(bytes, 'WAVE', 8)) return { state: 'not-wav' }

  let format: Format | undefined
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    const body = at + 8
    if (id === 'data') {
      if (!format) return { state: 'broken', reason: 'its samples come before their format' }
      return { state: 'wav', header: toHeader(format, body, size) }
    }
    if (id === 'fmt ') {
      if (size < FORMAT_BYTES) return { state: 'broken', reason: 'its format chunk is too short' }
      if (body + size > bytes.length) return { state: 'incomplete' }
      format = readFormat(bytes.subarray(body, body + size))
      if (!format) return { state: 'broken', reason: 'its format chunk has zero where a rate belongs' }
    }
    // Chunks are padded to an even length.
    at = body + size + (size % 2)
  }
  return { state: 'incomplete' }
}

interface Format {
  readonly tag: number
  readonly channels: number
  readonly sampleRateHz: number
  readonly bytesPerSecond: number
  readonly bitsPerSample: number
}

function readFormat(chunk: Buffer): Format | undefined {
  const tag = chunk.readUInt16LE(0)
  const format = {
    // The extensible form keeps the real tag in the first two bytes of its subformat.
    tag: tag === EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : tag,
    channels: chunk.readUInt16LE(2),
    sampleRateHz: chunk.readUInt32LE(4),
    bytesPerSecond: chunk.readUInt32LE(8),
    bitsPerSample: chunk.readUInt16LE(14),
  }
  return format.channels && format.sampleRateHz && format.bytesPerSecond ? format : undefined
}

function toHeader(format: Format, dataOffset: number, size: number): WavHeader {
  const isLinear16 = format.tag === PCM && format.bitsPerSample === 16
  return {
    encoding: isLinear16 ? 'linear16' : 'other',
    sampleRateHz: format.sampleRateHz,
    channels: format.channels,
    // Some writers leave nonsense in the byte rate; for plain samples it follows from the rest.
    bytesPerSecond: isLinear16 ? format.sampleRateHz * format.channels * 2 : format.bytesPerSecond,
    dataOffset,
    dataBytes: UNKNOWN_SIZES.has(size) ? undefined : size,
  }
}

/** True as long as nothing speaks against `text` at `at`: what is not there yet may still come. */
function isPrefix(bytes: Buffer, text: string, at: number): boolean {
  const there = bytes.toString('latin1', at, at + text.length)
  return text.startsWith(there)
}
