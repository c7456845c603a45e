import type { AudioFormat } from '../audio/format.ts'

/** 32 ms: what Silero judges at a time at 16 kHz. */
export const FRAME_SAMPLES = 512

/** Listens to audio: turns it into 16 kHz mono and says, frame by frame, how likely it is speech. */
export interface Ears {
  /** One call lets out at most `maxSeconds` of what was compressed. */
  open(format: AudioFormat, maxSeconds: number): Ear
  stop(): Promise<void>
}

/** One stream or file. Calls are answered in order. */
export interface Ear {
  /**
   * Bytes may be cut anywhere, packets of Opus excepted. Rejects with a `SpeechError`: 413 and 415 for audio that is refused, 503
   * when the listener died.
   */
  push(audio: Uint8Array): Promise<Heard>
  /** The end of the audio: what is still inside, the last frame filled up with silence for its judgement. */
  finish(): Promise<Heard>
  close(): void
}

/** The next samples and the judgements of the frames completed by them: frame n covers samples 512n to 512(n + 1). */
export interface Heard {
  readonly samples: Float32Array
  readonly probabilities: Float32Array
  /** Of the audio that came in, before it was mixed. */
  readonly channels: number
}
