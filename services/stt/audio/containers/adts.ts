/** A frame of AAC with its header (ISO 14496-3 §1.A.2). */
export interface AdtsFrame {
  readonly bytes: Uint8Array
  readonly sampleRateHz: number
}

export const SAMPLES_A_FRAME = 1_024
const HEADER_BYTES = 7
const CHECKSUM_BYTES = 2
/** A channel's share of a frame (ISO 14496-3 §4.5.1.1); where the header does not tell their number there are eight at most. */
const MAX_CHANNEL_BYTES = 768
const MAX_CHANNELS = 8
/** In the order of their indexes. */
export const AAC_RATES_HZ: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
]

/** Length and rate of the frame that begins at `offset`; undefined when none does. */
export function readAdtsHeader(
  bytes: Uint8Array,
  offset: number,
): { length: number; sampleRateHz: number } | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0] = bytes.subarray(offset, offset + 6)
  const sampleRateHz = AAC_RATES_HZ[(third >> 2) & 15]
  if (first !== 0xff || (second & 0xf6) !== 0xf0 || sampleRateHz === undefined) return undefined
  const length = ((fourth & 3) << 11) | (fifth << 3) | (sixth >> 5)
  const configured = ((third & 1) << 2) | (fourth >> 6)
  const channels = configured > 0 && configured < 7 ? configured : MAX_CHANNELS
  if (length < HEADER_BYTES || length > HEADER_BYTES + CHECKSUM_BYTES + channels * MAX_CHANNEL_BYTES) return undefined
  return { length, sampleRateHz }
}

/**
 * Reads whole frames from bytes that are cut anywhere; what lies between frames is skipped. After a gap a frame counts
 * when another one follows: bytes that look like a header are common.
 */
export function createAdtsReader(): (bytes: Uint8Array) => AdtsFrame[] {
  let held = new Uint8Array(0)
  let isInStep = true
  return (bytes) => {
    held = Buffer.concat([held, bytes])
    const frames: AdtsFrame[] = []
    let offset = 0
    while (held.length - offset >= HEADER_BYTES) {
      const header = readAdtsHeader(held, offset)
      if (!header) {
        isInStep = false
        offset += 1
        continue
      }
      const { length, sampleRateHz } = header
      const needed = isInStep ? length : length + HEADER_BYTES
      if (held.length < offset + needed) break
      if (!isInStep && !readAdtsHeader(held, offset + length)) {
        offset += 1
        continue
      }
      isInStep = true
      frames.push({ bytes: held.slice(offset, offset + length), sampleRateHz })
      offset += length
    }
    held = held.slice(offset)
    return frames
  }
}

/** What the header of a frame says about its sound. */
export interface AdtsKind {
  readonly profile: number
  /** In {@link AAC_RATES_HZ}. */
  readonly rateIndex: number
  readonly channels: number
}

/** A frame as other containers hold it, with a header of its own. */
export function withAdtsHeader(frame: Uint8Array, { profile, rateIndex, channels }: AdtsKind): Uint8Array {
  const length = HEADER_BYTES + frame.length
  const header = [
    0xff,
    // MPEG-4, without a checksum.
    0xf1,
    (profile << 6) | (rateIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | ((length >> 11) & 3),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]
  return Buffer.concat([Uint8Array.from(header), frame])
}
