import type { PcmFormat } from '../audio/format.ts'

/** 32 ms: what Silero judges at a time at 16 kHz. */
export const FRAME_SAMPLES = 512

/** Listens to PCM: turns it into 16 kHz mono and says, frame by frame, how likely it is speech. */
export interface Ears {
  open(format: PcmFormat): Ear
  stop(): Promise<void>
}

/** One stream or file. Calls are answered in order. */
export interface Ear {
  /** Bytes may be cut anywhere. Rejects with a `SpeechError` of status 503 when the listener died. */
  push(pcm: Uint8Array): Promise<Heard>
  /** The end of the audio: what is still inside, the last frame filled up with silence for its judgement. */
  finish(): Promise<Heard>
  close(): void
}

/** The next samples and the judgements of the frames completed by them: frame n covers samples 512n to 512(n + 1). */
export interface Heard {
  readonly samples: Float32Array
  readonly probabilities: Float32Array
}
