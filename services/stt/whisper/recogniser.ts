import type { Clock } from '../../wire/clock.ts'
import type { Log } from '../../wire/log.ts'
import type { Device } from '../../wire/device.ts'
import { loadManifest } from '../models/manifest.ts'
import { SAMPLE_RATE_HZ } from './spectrogram/log-mel.ts'
import { startPool } from './pool/pool.ts'
import type { Recogniser } from './port.ts'
import { spawnWorker } from './pool/spawn-worker.ts'

/** What Whisper hears at once. */
const MAX_WINDOW_SECONDS = 30

export interface RecogniserOptions {
  /** A folder written by `importModel`. */
  readonly modelDir: string
  readonly workers: number
  /** Threads each worker computes with. */
  readonly threadsPerWorker: number
  /** On the CPU, for a worker whose device fails. */
  readonly fallbackThreads?: number
  /** Where the model computes; the CPU when absent. */
  readonly device?: Device
  /** The device failed a worker with these words, and the CPU computes for it from now on. */
  readonly onMoved?: (message: string) => void
  readonly clock: Clock
  readonly log: Log
}

/**
 * Resolves when the model is loaded and the first worker ready; the others follow at once.
 * @throws ModelError when the folder holds no model this version reads
 */
export async function startRecogniser(options: RecogniserOptions): Promise<Recogniser> {
  const { modelDir, workers, threadsPerWorker, fallbackThreads, device = 'cpu', clock, log } = options
  const manifest = await loadManifest(modelDir)
  let isStarted = false
  const pool = await startPool({
    workers,
    spawn: ({ isFirst, ...shared }) =>
      spawnWorker({
        modelDir,
        threads: threadsPerWorker,
        ...(isFirst && workers > 1 && device === 'cpu' && { loneThreads: workers * threadsPerWorker }),
        ...(fallbackThreads !== undefined && { fallbackThreads }),
        // Whether the first one starts decides whether the device is used at all.
        mayFallBack: isStarted || !isFirst,
        device,
        ...shared,
      }),
    clock,
    log,
    ...(options.onMoved && { onMoved: options.onMoved }),
  })
  isStarted = true
  return {
    model: { name: manifest.name, version: manifest.version },
    languages: manifest.multilingual ? Object.keys(manifest.languages) : ['en'],
    get load() {
      return pool.load
    },
    recognise: async (samples, window) =>
      pool.recognise(typeof samples === 'function' ? () => checked(samples()) : checked(samples), window),
    recogniseTogether: async (windows, request) => pool.recogniseTogether(windows.map(checked), request),
    stop: () => pool.stop(),
  }
}

function checked(samples: Float32Array): Float32Array {
  if (samples.length <= MAX_WINDOW_SECONDS * SAMPLE_RATE_HZ) return samples
  throw new RangeError(`A window has at most ${MAX_WINDOW_SECONDS} s.`)
}
