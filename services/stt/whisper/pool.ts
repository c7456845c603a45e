import type { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../wire/clock.ts'
import type { Log } from '../../wire/log.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { SpeechError } from '../errors.ts'
import type { WindowRequest } from './recognise-window.ts'
import { createPace } from './pace.ts'
import type { Load, Recognition, Samples, WindowOptions } from './port.ts'
import { createTurns, type Waiting } from './turns.ts'
import { STOP_ALL, type WorkerMessage, type WorkerReply } from './worker-messages.ts'

export interface PoolOptions {
  readonly workers: number
  /** Starts one worker; it reports `ready` when its model is loaded and stops requests whose id it finds in `cancelled`. */
  readonly spawn: (place: WorkerPlace) => Worker
  readonly clock: Clock
  /** Milliseconds of real time: that is what work takes, also where the clock of an emulated world stands still. */
  readonly stopwatch?: () => number
  readonly log: Log
}

/** What a worker shares with the pool. */
export interface WorkerPlace {
  /** The first one is the one that works when only one does. */
  readonly isFirst: boolean
  /** One 32-bit number: the id of the request to stop, or `STOP_ALL`. */
  readonly cancelled: SharedArrayBuffer
  /** One 32-bit number: how many workers work. */
  readonly busy: SharedArrayBuffer
}

/** Worker threads that answer requests one at a time each, the most urgent first. */
export interface Pool {
  readonly load: Load
  /** `samples` that are a function are asked for when a worker is free. */
  recognise(samples: Samples, options: WindowOptions): Promise<Recognition>
  stop(): Promise<void>
}

/** A worker that cannot be replaced at once is tried again after this, doubled each time up to the longest. */
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 30_000

/** Much longer than the longest step, encoding a full window. */
const STOP_DEADLINE_MS = 5000

interface Job extends Waiting {
  readonly samples: Samples
  /** How often interims were to be asked for when it was. */
  readonly intervalMs: number
  readonly request: WindowRequest
  /** Its worker died once: if another one dies of it too, the work itself may be why. */
  hasLostWorker: boolean
  readonly isWanted: () => boolean
  resolve(recognition: Recognition): void
  reject(error: unknown): void
}

interface Slot {
  worker: Worker | undefined
  isReady: boolean
  readonly cancelled: SharedArrayBuffer
  job: Job | undefined
  takenMs: number
  windowSeconds: number
  retry: Timer | undefined
  retryMs: number
}

/**
 * Resolves when the first worker is ready. The others start after it, so that it has the machine for itself; work that
 * comes meanwhile waits for whoever is free first.
 * @throws the first worker's error when it cannot start
 */
export async function startPool(options: PoolOptions): Promise<Pool> {
  const { clock, log, stopwatch = () => performance.now() } = options
  const queue = createTurns<Job>()
  const pace = createPace()
  const slots = Array.from({ length: options.workers }, emptySlot)
  const busy = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  let nextId = 1
  let isStopped = false

  const [first, ...others] = slots
  if (!first) throw new RangeError('A recogniser needs at least one worker.')
  await startWorker(first)
  for (const slot of others) keepStarting(slot)

  return {
    get load() {
      return {
        waitingWindows: queue.size,
        busyWorkers: countBusy(),
        interimIntervalSeconds: pace.intervalMs / 1000,
      }
    },
    recognise(samples, { signal, turn, ...request }) {
      return new Promise((resolve, reject) => {
        if (isStopped) throw new SpeechError(503, 'The recogniser is stopping.')
        signal?.throwIfAborted()
        const finished = (): void => signal?.removeEventListener('abort', abort)
        const job: Job = {
          id: nextId,
          samples,
          request,
          priority: request.priority,
          ...turn,
          askedMs: stopwatch(),
          intervalMs: pace.intervalMs,
          hasLostWorker: false,
          isWanted: () => !signal?.aborted,
          resolve: (recognition) => {
            finished()
            resolve(recognition)
          },
          reject: (error) => {
            finished()
            reject(error)
          },
        }
        const abort = (): void => cancel(job, signal?.reason)
        signal?.addEventListener('abort', abort, { once: true })
        nextId += 1
        queue.add(job)
        dispatch()
      })
    },
    async stop() {
      isStopped = true
      const error = new SpeechError(503, 'The recogniser is stopping.')
      for (const job of queue.takeAll()) job.reject(error)
      for (const slot of slots) slot.job?.reject(error)
      await Promise.all(slots.map(stopWorker))
    },
  }

  function countBusy(): number {
    return slots.filter(({ job }) => job).length
  }

  function dispatch(): void {
    handOut()
    Atomics.store(new Int32Array(busy), 0, countBusy())
  }

  function handOut(): void {
    for (const slot of slots) {
      const { worker } = slot
      if (!worker || !slot.isReady) continue
      while (!slot.job) {
        const job = queue.next()
        if (!job) return
        hand(job, slot, worker)
      }
    }
  }

  function hand(job: Job, slot: Slot, worker: Worker): void {
    try {
      // A copy of exactly this window: the caller's array may be a view of a long recording and stays usable.
      const samples = (typeof job.samples === 'function' ? job.samples() : job.samples).slice()
      const message: WorkerMessage = { type: 'recognise', id: job.id, samples, request: job.request }
      slot.windowSeconds = samples.length / SAMPLE_RATE_HZ
      worker.postMessage(message, [samples.buffer])
      slot.job = job
      slot.takenMs = stopwatch()
    } catch (error) {
      job.reject(error)
      return
    }
    if (job.priority !== 'interim') return
    const nowMs = slot.takenMs
    pace.observe({ intervalMs: job.intervalMs, waitedMs: nowMs - job.askedMs, nowMs })
  }

  /** Queued work goes; running work is told to stop and its worker is free when it answers. */
  function cancel(job: Job, reason: unknown): void {
    queue.remove(job)
    const slot = slots.find((candidate) => candidate.job === job)
    if (slot) Atomics.store(new Int32Array(slot.cancelled), 0, job.id)
    job.reject(reason)
  }

  /** Resolves when the worker is ready. Later its death passes its work on and it is replaced. */
  function startWorker(slot: Slot): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = options.spawn({ isFirst: slot === first, cancelled: slot.cancelled, busy })
      slot.worker = worker
      slot.isReady = false
      let cause: unknown
      worker.on('error', (error) => {
        cause = error
      })
      worker.on('message', (reply: WorkerReply) => {
        if (reply.type === 'ready') {
          slot.isReady = true
          slot.retryMs = FIRST_RETRY_MS
          resolve()
        } else {
          settle(slot, reply)
        }
        dispatch()
      })
      worker.on('exit', (code) => {
        const error = toError(cause ?? new Error(`A speech worker ended with code ${code}.`))
        slot.worker = undefined
        const wasReady = slot.isReady
        slot.isReady = false
        reject(error)
        if (!isStopped && wasReady) replace(slot, error)
      })
    })
  }

  /**
   * Ends a worker between two steps. One that is terminated inside the inference library takes the whole process with
   * it, so that is for a worker that hangs.
   */
  async function stopWorker(slot: Slot): Promise<void> {
    slot.retry?.cancel()
    const { worker } = slot
    if (!worker) return
    Atomics.store(new Int32Array(slot.cancelled), 0, STOP_ALL)
    const message: WorkerMessage = { type: 'stop' }
    worker.postMessage(message, [])
    await new Promise<void>((resolve) => {
      const deadline = clock.after(STOP_DEADLINE_MS, () => void worker.terminate())
      worker.once('exit', () => {
        deadline.cancel()
        resolve()
      })
    })
  }

  function settle(slot: Slot, reply: Exclude<WorkerReply, { readonly type: 'ready' }>): void {
    const { job } = slot
    slot.job = undefined
    const nowMs = stopwatch()
    const { takenMs, windowSeconds } = slot
    if (job) queue.charge(job, { computeMs: nowMs - takenMs, windowSeconds, nowMs })
    if (!job || job.id !== reply.id) return
    if (reply.type === 'done') return job.resolve(reply.recognition)
    const { failure, message } = reply
    job.reject(
      failure
        ? new SpeechError(failure.status, failure.error)
        : new SpeechError(500, 'Recognition failed.', { cause: new Error(message) }),
    )
  }

  function replace(slot: Slot, cause: Error): void {
    const { job } = slot
    slot.job = undefined
    log.error({ err: cause }, 'speech worker died, starting another')
    if (job?.isWanted()) passOn(job, cause)
    keepStarting(slot)
    dispatch()
  }

  /** Finals and files get another worker, once. The next interim is near. */
  function passOn(job: Job, cause: Error): void {
    if (job.priority === 'interim' || job.hasLostWorker) {
      job.reject(new SpeechError(503, 'The speech worker died; try again.', { cause }))
      return
    }
    job.hasLostWorker = true
    queue.add(job)
  }

  function keepStarting(slot: Slot): void {
    startWorker(slot).catch((error: unknown) => {
      if (isStopped) return
      log.error({ err: error, retryMs: slot.retryMs }, 'speech worker cannot start')
      if (!slots.some(({ worker }) => worker)) failQueue(error)
      slot.retry = clock.after(slot.retryMs, () => keepStarting(slot))
      slot.retryMs = Math.min(2 * slot.retryMs, LONGEST_RETRY_MS)
    })
  }

  function failQueue(cause: unknown): void {
    for (const job of queue.takeAll()) job.reject(new SpeechError(503, 'No speech worker can start.', { cause }))
  }
}

function emptySlot(): Slot {
  return {
    worker: undefined,
    isReady: false,
    cancelled: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    job: undefined,
    takenMs: 0,
    windowSeconds: 0,
    retry: undefined,
    retryMs: FIRST_RETRY_MS,
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('The request was aborted.', { cause: reason })
}
