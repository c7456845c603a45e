/** How one sample is written. Multi-byte samples are little-endian. */
export type SampleEncoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64' | 'mulaw' | 'alaw'

/** Uncompressed audio: interleaved samples of `channels` channels. */
export interface PcmFormat {
  readonly encoding: SampleEncoding
  readonly sampleRateHz: number
  readonly channels: number
}

/**
 * Containers that say themselves what is in them, how fast it is and how many channels it has. `m4a` is a whole file of
 * MP4, `mp4` the same as it comes, with its index first.
 */
export type CompressedEncoding = 'mp3' | 'aac' | 'flac' | 'ogg' | 'webm' | 'm4a' | 'mp4'

export type CompressedFormat =
  | { readonly encoding: CompressedEncoding }
  /** Opus packets without a container, each pushed as one piece. */
  | { readonly encoding: 'opus'; readonly channels: number }

export type AudioFormat = PcmFormat | CompressedFormat

/** What every engine listens to: 16 kHz mono, as Whisper and Silero were trained. */
export const SAMPLE_RATE_HZ = 16_000

const BYTES_PER_SAMPLE = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  mulaw: 1,
  alaw: 1,
} as const satisfies Record<SampleEncoding, number>

export function isPcm(format: AudioFormat): format is PcmFormat {
  return format.encoding in BYTES_PER_SAMPLE
}

export function bytesPerFrame(format: PcmFormat): number {
  return BYTES_PER_SAMPLE[format.encoding] * format.channels
}

/** Whole frames only. */
export function secondsOf(format: PcmFormat, byteCount: number): number {
  return Math.floor(byteCount / bytesPerFrame(format)) / format.sampleRateHz
}
