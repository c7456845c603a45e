import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { silentLog } from '../wire/log.ts'
import type { Clock } from '../wire/clock.ts'
import { SAMPLE_RATE_HZ } from './audio/format.ts'
import type { Recogniser, Recognition } from './whisper/port.ts'
import { startPool } from './whisper/pool/pool.ts'
import type { WindowRequest } from './whisper/recognise-window.ts'
import { laneOf, LANES, STOP_ALL, type WorkerMessage, type WorkerRequest } from './whisper/pool/worker-messages.ts'

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
    recogniseTogether: async (windows, options) => pool.recogniseTogether(windows, options),
    stop: () => pool.stop(),
  }
}

function simulatedWorker(
  simulation: Simulation,
  { costMs, logProbability }: Pick<SimulatedWorkers, 'costMs' | 'logProbability'>,
  cancelled: Int32Array,
): Worker {
  const worker = new EventEmitter()
  // Work is divided into steps, between which a worker looks whether it is still wanted, and a file's lets others go first.
  const STEP_MS = 10
  let isSpokenTo = false
  const isCancelled = ({ id, request }: WorkerRequest): boolean =>
    [id, STOP_ALL].includes(Atomics.load(cancelled, LANES.indexOf(laneOf(request))))

  function work(message: WorkerRequest, leftMs: number): void {
    const { id, windows, request } = message
    const isLive = laneOf(request) === 'live'
    if (!isLive && isSpokenTo) return simulation.after(STEP_MS, () => work(message, leftMs))
    isSpokenTo = isLive && !isCancelled(message) && leftMs > 0
    if (isCancelled(message)) worker.emit('message', { type: 'failed', id, message: 'cancelled' })
    else if (leftMs <= 0) {
      const recognitions = windows.map((samples) => hear(samples, logProbability))
      worker.emit('message', { type: 'done', id, recognitions })
    } else simulation.after(Math.min(STEP_MS, leftMs), () => work(message, leftMs - STEP_MS))
  }

  queueMicrotask(() => worker.emit('message', { type: 'ready' }))
  return Object.assign(worker, {
    postMessage(message: WorkerMessage) {
      if (message.type === 'stop') return worker.emit('exit', 0)
      const { windows, request } = message
      return work(
        message,
        windows.reduce((sum, { length }) => sum + costMs(length / SAMPLE_RATE_HZ, request), 0),
      )
    },
  }) as unknown as Worker
}

function hear(samples: Float32Array, averageLogProbability = 0): Recognition {
  const count = Math.floor(samples.length / SAMPLE_RATE_HZ / WORD_SECONDS)
  const words = Array.from({ length: count }, (_, index) => ({
    word: 'word',
    startSeconds: index * WORD_SECONDS,
    endSeconds: (index + 1) * WORD_SECONDS,
    confidence: 1,
  }))
  const sure = { confidence: 1, averageLogProbability, noSpeechProbability: 0, compressionRatio: 1, computeMs: 0 }
  return { text: words.map(({ word }) => word).join(' '), words, ...sure }
}
