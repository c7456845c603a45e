import type { SpeechModel, SpokenWord } from '../../wire/speech.ts'

/** Window-level recognition: a pool of worker threads that hold the model. */
export interface Recogniser {
  readonly model: SpeechModel
  readonly languages: readonly string[]
  /**
   * Recognises one window of at most 30 s. Rejects with a `SpeechError` of status 503 when the worker died (it is
   * replaced; nothing is retried), and with the signal's reason when aborted.
   */
  recognise(samples: Float32Array, options: WindowOptions): Promise<Recognition>
  stop(): Promise<void>
}

/** Who goes first when all workers are busy, first to last. */
export type Priority = 'final' | 'interim' | 'file'

export interface WindowOptions {
  readonly priority: Priority
  /** BCP-47; undefined: to be detected. */
  readonly language: string | undefined
  /** Encoder positions beyond the audio (20 ms each); `full` pads to 30 s. Small windows are faster and riskier. */
  readonly slackPositions: number | 'full'
  /** Timestamp tokens steer long windows; interims go faster without. */
  readonly timestamps: boolean
  /** Words and phrases that are likelier to be said than the model thinks. */
  readonly keyterms?: readonly string[]
  /**
   * `tokens` of a recognition of most of the same audio with the same `timestamps`: verified in one pass, which is
   * cheaper than writing them again.
   */
  readonly draft?: readonly number[]
  readonly signal?: AbortSignal
}

export interface DetectedLanguage {
  /** Primary tag. */
  readonly language: string
  /** 0 to 1, among all the languages the model knows. */
  readonly confidence: number
}

/** 16 kHz mono samples in, words out. Times are seconds from the window's start. */
export interface Recognition {
  readonly text: string
  readonly words: readonly SpokenWord[]
  readonly confidence: number
  readonly averageLogProbability: number
  readonly noSpeechProbability: number
  readonly compressionRatio: number
  /** As the model wrote it, timestamps included; a `draft` for more of the same audio. */
  readonly tokens?: readonly number[]
  /** The guards against invented text still doubt it, after all tries: nothing should build on it. */
  readonly isDoubtful?: boolean
  /** Where it had to be detected. */
  readonly detectedLanguage?: DetectedLanguage
  /** Wall time spent computing, for figures only. */
  readonly computeMs: number
}
