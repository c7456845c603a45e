import type { Clock } from '../../wire/clock.ts'
import type { Log } from '../../wire/log.ts'
import type { SpeechModel, SpokenWord } from '../../wire/speech.ts'
import { loadManifest } from '../models/manifest.ts'
import { SAMPLE_RATE_HZ } from './log-mel.ts'
import { startPool } from './pool.ts'
import { spawnWorker } from './spawn-worker.ts'

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
  readonly language: string | undefined
  /** Encoder positions beyond the audio (20 ms each); `full` pads to 30 s. Small windows are faster and riskier. */
  readonly slackPositions: number | 'full'
  /** Timestamp tokens steer long windows; interims go faster without. */
  readonly timestamps: boolean
  readonly signal?: AbortSignal
}

/** 16 kHz mono samples in, words out. Times are seconds from the window's start. */
export interface Recognition {
  readonly text: string
  readonly words: readonly SpokenWord[]
  readonly confidence: number
  readonly averageLogProbability: number
  readonly noSpeechProbability: number
  readonly compressionRatio: number
  /** Wall time spent computing, for figures only. */
  readonly computeMs: number
}

/** What Whisper hears at once. */
const MAX_WINDOW_SECONDS = 30

export interface RecogniserOptions {
  /** A folder written by `importModel`. */
  readonly modelDir: string
  readonly workers: number
  /** Threads each worker computes with. */
  readonly threadsPerWorker: number
  readonly clock: Clock
  readonly log: Log
}

/**
 * Resolves when the model is loaded and the first worker ready; the others follow at once.
 * @throws ModelError when the folder holds no model this version reads
 */
export async function startRecogniser(options: RecogniserOptions): Promise<Recogniser> {
  const { modelDir, workers, threadsPerWorker, clock, log } = options
  const manifest = await loadManifest(modelDir)
  const pool = await startPool({
    workers,
    spawn: (cancelled) => spawnWorker({ modelDir, threads: threadsPerWorker, cancelled }),
    clock,
    log,
  })
  return {
    model: { name: manifest.name, version: manifest.version },
    languages: manifest.multilingual ? Object.keys(manifest.languages) : ['en'],
    async recognise(samples, window) {
      if (samples.length > MAX_WINDOW_SECONDS * SAMPLE_RATE_HZ) {
        throw new RangeError(`A window has at most ${MAX_WINDOW_SECONDS} s.`)
      }
      return pool.recognise(samples, window)
    },
    stop: () => pool.stop(),
  }
}
