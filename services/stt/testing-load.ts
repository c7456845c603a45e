import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { silentLog } from '../wire/log.ts'
import type { Clock } from '../wire/clock.ts'
import { SAMPLE_RATE_HZ } from './audio/format.ts'
import type { Recogniser, Recognition } from './whisper/port.ts'
import { startPool } from './whisper/pool.ts'
import type { WindowRequest } from './whisper/recognise-window.ts'
import { STOP_ALL, type WorkerMessage, type WorkerRequest } from './whisper/worker-messages.ts'

/** Time that passes only when everything that can happen at one moment has happened. */
export interface Simulation {
  readonly nowMs: number
  /** Runs `run` after so many milliseconds of simulated time. */
  after(ms: number, run: () => void): void
  /** Lets everything happen up to some moment. */
  runUntil(ms: number): Promise<void>
}

export function createSimulation(): Simulation {
  const events: { readonly atMs: number; readonly run: () => void }[] = []
  let nowMs = 0
  return {
    get nowMs() {
      return nowMs
    },
    after(ms, run) {
      const atMs = nowMs + ms
      const place = events.findLastIndex((event) => event.atMs <= atMs)
      events.splice(place + 1, 0, { atMs, run })
    },
    async runUntil(ms) {
      // What is under way in promises goes first.
      await nextTurn()
      for (let event = events[0]; event && event.atMs <= ms; event = events[0]) {
        events.shift()
        nowMs = event.atMs
        event.run()
        await nextTurn()
      }
      nowMs = ms
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** What a window costs a worker. */
export type CostMs = (seconds: number, request: WindowRequest) => number

/** A word every so often, whatever the sound. */
export const WORD_SECONDS = 0.32

export interface SimulatedWorkers {
  readonly workers: number
  readonly costMs: CostMs
  /** How sure they are of each token. */
  readonly logProbability?: number | undefined
}

/** Workers without threads in a pool as it is: they take simulated time, and hear a word every 0.32 s. */
export async function startSimulatedRecogniser(
  simulation: Simulation,
  { workers, costMs, logProbability = 0 }: SimulatedWorkers,
): Promise<Recogniser> {
  const pool = await startPool({
    workers,
    spawn: ({ cancelled }) => simulatedWorker(simulation, { costMs, logProbability }, new Int32Array(cancelled)),
    clock: { now: () => simulation.nowMs, after: () => ({ cancel: () => undefined }) } as unknown as Clock,
    stopwatch: () => simulation.nowMs,
    log: silentLog,
  })
  return {
    model: { name: 'simulated', version: '1' },
    languages: ['en'],
    get load() {
      return pool.load
    },
    recognise: async (samples, options) => pool.recognise(samples, options),
    stop: () => pool.stop(),
  }
}

function simulatedWorker(
  simulation: Simulation,
  { costMs, logProbability }: Pick<SimulatedWorkers, 'costMs' | 'logProbability'>,
  cancelled: Int32Array,
): Worker {
  const worker = new EventEmitter()
  // Work is divided into steps, between which a worker looks whether it is still wanted.
  const STEP_MS = 10
  const isCancelled = (id: number): boolean => [id, STOP_ALL].includes(Atomics.load(cancelled, 0))

  function work({ id, samples }: WorkerRequest, leftMs: number): void {
    if (isCancelled(id)) worker.emit('message', { type: 'failed', id, message: 'cancelled' })
    else if (leftMs <= 0)
      worker.emit('message', {
        type: 'done',
        id,
        recognition: { ...hear(samples), averageLogProbability: logProbability },
      })
    else simulation.after(Math.min(STEP_MS, leftMs), () => work({ id, samples } as WorkerRequest, leftMs - STEP_MS))
  }

  queueMicrotask(() => worker.emit('message', { type: 'ready' }))
  return Object.assign(worker, {
    postMessage(message: WorkerMessage) {
      if (message.type === 'stop') worker.emit('exit', 0)
      else work(message, costMs(message.samples.length / SAMPLE_RATE_HZ, message.request))
    },
  }) as unknown as Worker
}

function hear(samples: Float32Array): Recognition {
  const count = Math.floor(samples.length / SAMPLE_RATE_HZ / WORD_SECONDS)
  const words = Array.from({ length: count }, (_, index) => ({
    word: 'word',
    startSeconds: index * WORD_SECONDS,
    endSeconds: (index + 1) * WORD_SECONDS,
    confidence: 1,
  }))
  const sure = { confidence: 1, averageLogProbability: 0, noSpeechProbability: 0, compressionRatio: 1, computeMs: 0 }
  return { text: words.map(({ word }) => word).join(' '), words, ...sure }
}
