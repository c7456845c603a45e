/** Turns compressed bytes into samples. They may be cut anywhere, except for packets without a container. */
export interface AudioDecoder {
  /** What is broken in the middle is left out. @throws {@link SpeechError} 415 for what can never be decoded. */
  push(bytes: Uint8Array): Promise<readonly Decoded[]>
  /** The end of the audio: what was still held back. */
  finish(): Promise<readonly Decoded[]>
  close(): void
}

/** Samples of one rate, mixed to mono. */
export interface Decoded {
  readonly samples: Float32Array
  /** Before they were mixed. */
  readonly channels: number
  readonly sampleRateHz: number
}

/** So many bytes are decoded before it is asked how much audio they have become: a few may be days of silence. */
export const STEP_BYTES = 1_024

/** What the decoding libraries answer. */
export interface Channels {
  readonly channelData: readonly Float32Array[]
  readonly samplesDecoded: number
  readonly sampleRate: number
}

/** All channels mixed to one; nothing where nothing was decoded. */
export function toMono({ channelData, samplesDecoded, sampleRate }: Channels): Decoded[] {
  const [first, ...others] = channelData
  if (!first || samplesDecoded <= 0 || sampleRate <= 0) return []
  const samples = first.slice(0, samplesDecoded)
  for (const other of others) {
    for (let index = 0; index < samples.length; index += 1) samples[index] = (samples[index] ?? 0) + (other[index] ?? 0)
  }
  if (others.length > 0) {
    for (let index = 0; index < samples.length; index += 1) samples[index] = (samples[index] ?? 0) / channelData.length
  }
  return [{ samples, channels: channelData.length, sampleRateHz: sampleRate }]
}
