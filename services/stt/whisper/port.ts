import type { SpeechModel, SpokenWord } from '../../wire/speech.ts'
import type { Padding } from './window-positions.ts'

/** Window-level recognition: a pool of worker threads that hold the model. */
export interface Recogniser {
  readonly model: SpeechModel
  readonly languages: readonly string[]
  readonly load: Load
  /**
   * Recognises one window of at most 30 s. Samples that are asked for are asked for when a worker is free, once: the newest there
   * are. A worker that dies is replaced, and what it was at is done by another; rejects with a `SpeechError` of status 503 when that one dies too or it was an interim, and
   * with the signal's reason when aborted.
   */
  recognise(samples: Samples, options: WindowOptions): Promise<Recognition>
  /**
   * Recognises several windows of a file. Their texts are written together, which is faster and makes the words of each depend a
   * little on the others: the same windows have the same words. All fail together, as one would.
   */
  recogniseTogether(windows: readonly Float32Array[], options: WindowOptions): Promise<readonly Recognition[]>
  stop(): Promise<void>
}

/** What the workers have to do at the moment. */
export interface Load {
  readonly waitingWindows: number
  readonly busyWorkers: number
  /** How often a live stream should ask for an interim: longer while the workers are busy. */
  readonly interimIntervalSeconds: number
}

/** At 16 kHz, mono; copied when a worker takes them. */
export type Samples = Float32Array | (() => Float32Array)

/** Who goes first when all workers are busy, first to last. */
export type Priority = 'final' | 'interim' | 'file'

/** What decides whose turn it is, beside the priority. */
export interface Turn {
  /** Whose work it is, so that none takes more than its share. */
  readonly source?: object
  /** Of a final that is begun early: whether somebody waits for it by now. Until then it has an interim's place. */
  readonly isDue?: () => boolean
}

export interface WindowOptions {
  readonly priority: Priority
  /** BCP-47; undefined: to be detected. */
  readonly language: string | undefined
  /** `coarse` is several times as fast for short audio and hears nearly the same. */
  readonly padding: Padding
  /** Timestamp tokens steer long windows; interims go faster without. */
  readonly timestamps: boolean
  /** Words and phrases that are likelier to be said than the model thinks. */
  readonly keyterms?: readonly string[]
  /** What the window begins with: taken as given. Only what follows is answered, without timestamp tokens. */
  readonly known?: Known
  /**
   * What follows `known`, as it was heard in most of the same audio: verified some tokens at a time, which is cheaper than
   * writing it again. It stays where nothing else is twice as likely.
   */
  readonly draft?: string
  /** How the text may begin instead, by what was heard of it so far: the likelier of both counts. A draft, too. */
  readonly rival?: string
  /** Speech goes on after the window: its last words are left out as long as the audio they attend to is not whole. */
  readonly isOpen?: boolean
  readonly turn?: Turn
  readonly signal?: AbortSignal
}

/** Words that are in the window and are not to be recognised again. */
export interface Known {
  readonly text: string
  /** Where the last of them ends, in seconds from the window's start. */
  readonly endSeconds: number
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
  /** As the model wrote it, timestamps included. */
  readonly tokens?: readonly number[]
  /** The guards against invented text still doubt it, after all tries: nothing should build on it. */
  readonly isDoubtful?: boolean
  /** Where it had to be detected. */
  readonly detectedLanguage?: DetectedLanguage
  /** Wall time spent computing, for figures only. */
  readonly computeMs: number
}
