import type { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../../wire/clock.ts'
import type { Log } from '../../../wire/log.ts'
import {
  LANES,
  STOP_ALL,
  type Lane,
  type WorkerAnswer,
  type WorkerMessage,
  type WorkerReply,
  type WorkerRequest,
} from './worker-messages.ts'

/** The place of one worker thread, which gets another whenever its worker dies. */
export interface WorkerSlot {
  /** There is a worker, though it may still be loading. */
  readonly isTaken: boolean
  /** The worker waits for requests. */
  readonly isReady: boolean
  /** Resolves when the worker is ready. @throws what kept it from starting */
  start(): Promise<void>
  /** Starts it however often that fails, in ever longer intervals. */
  keepStarting(): void
  /** The samples' memory goes with it. */
  send(request: WorkerRequest): void
  /** The worker stops this request at its next step, and answers that it failed. */
  cancel(lane: Lane, id: number): void
  /**
   * Ends the worker between two steps. One that is terminated inside the inference library takes the whole process with
   * it, so that is for a worker that hangs.
   */
  stop(): Promise<void>
}

export interface WorkerSlotOptions {
  /** Starts a worker; it reports `ready` when its model is loaded and stops requests whose id it finds in `cancelled`, in the place of their lane. */
  readonly spawn: (cancelled: SharedArrayBuffer) => Worker
  readonly clock: Clock
  readonly log: Log
  readonly onReady: () => void
  /** Its GPU failed with these words, and it goes on without. */
  readonly onMoved: (message: string) => void
  readonly onAnswer: (answer: WorkerAnswer) => void
  /** It died, and another one is going to be started. */
  readonly onDeath: (cause: Error) => void
  readonly onFailedStart: (cause: unknown) => void
}

/** A worker that cannot be replaced at once is tried again after this, doubled each time up to the longest. */
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 30_000

/** Much longer than the longest step, encoding a full window. */
const STOP_DEADLINE_MS = 5000

export function createWorkerSlot(options: WorkerSlotOptions): WorkerSlot {
  const { spawn, clock, log, onReady, onMoved, onAnswer, onDeath, onFailedStart } = options
  const cancelled = new SharedArrayBuffer(LANES.length * Int32Array.BYTES_PER_ELEMENT)
  const cancelledIds = new Int32Array(cancelled)
  let worker: Worker | undefined
  let isReady = false
  let isStopped = false
  let retry: Timer | undefined
  let retryMs = FIRST_RETRY_MS

  function start(): Promise<void> {
    return new Promise((resolve, reject) => {
      worker = spawn(cancelled)
      let cause: unknown
      worker.on('error', (error) => {
        cause = error
      })
      worker.on('message', (reply: WorkerReply) => {
        if (reply.type === 'warning') return log.warn({ warning: reply.message }, 'speech worker goes on with less')
        if (reply.type === 'moved') return onMoved(reply.message)
        if (reply.type !== 'ready') return onAnswer(reply)
        isReady = true
        retryMs = FIRST_RETRY_MS
        resolve()
        onReady()
      })
      worker.on('exit', (code) => {
        const error = cause instanceof Error ? cause : new Error(`A speech worker ended with code ${code}.`, { cause })
        const wasReady = isReady
        worker = undefined
        isReady = false
        reject(error)
        if (isStopped || !wasReady) return
        log.error({ err: error }, 'speech worker died, starting another')
        onDeath(error)
        keepStarting()
      })
    })
  }

  function keepStarting(): void {
    start().catch((error: unknown) => {
      if (isStopped) return
      log.error({ err: error, retryMs }, 'speech worker cannot start')
      onFailedStart(error)
      retry = clock.after(retryMs, keepStarting)
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)
    })
  }

  function post(message: WorkerMessage, memory: ArrayBuffer[]): void {
    worker?.postMessage(message, memory)
  }

  return {
    get isTaken() {
      return worker !== undefined
    },
    get isReady() {
      return isReady
    },
    start,
    keepStarting,
    send(request) {
      const memory = request.windows.map(({ buffer }) => buffer as ArrayBuffer)
      post(request, memory)
    },
    cancel(lane, id) {
      Atomics.store(cancelledIds, LANES.indexOf(lane), id)
    },
    async stop() {
      isStopped = true
      retry?.cancel()
      if (!worker) return
      const stopping = worker
      cancelledIds.fill(STOP_ALL)
      post({ type: 'stop' }, [])
      await new Promise<void>((resolve) => {
        const deadline = clock.deadline(STOP_DEADLINE_MS, () => void stopping.terminate())
        stopping.once('exit', () => {
          deadline.cancel()
          resolve()
        })
      })
    },
  }
}
