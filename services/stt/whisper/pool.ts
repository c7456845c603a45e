import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../wire/clock.ts'
import type { Log } from '../../wire/log.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { SpeechError } from '../errors.ts'
import type { WindowRequest } from './recognise-window.ts'
import { createPace } from './pace.ts'
import type { Load, Recognition, Samples, WindowOptions } from './port.ts'
import { createTurns, type Waiting } from './turns.ts'
import type { WorkerAnswer } from './worker-messages.ts'
import { createWorkerSlot, type WorkerSlot } from './worker-slot.ts'

export interface PoolOptions {
  readonly workers: number
  /** Starts one worker; it reports `ready` when its model is loaded and stops requests whose id it finds in `cancelled`. */
  readonly spawn: (place: WorkerPlace) => Worker
  readonly clock: Clock
  /** Milliseconds of real time: that is what work takes, also where the clock of an emulated world stands still. */
  readonly stopwatch?: () => number
  readonly log: Log
  /** A worker's GPU failed with these words, and the worker goes on without. */
  readonly onMoved?: (message: string) => void
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

/** A worker's place, and what it works on. */
interface Desk {
  readonly slot: WorkerSlot
  job: Job | undefined
  takenMs: number
  windowSeconds: number
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
  const busy = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const desks = Array.from({ length: options.workers }, (_, place) => openDesk(place === 0))
  let nextId = 1
  let isStopped = false

  const [first, ...others] = desks
  if (!first) throw new RangeError('A recogniser needs at least one worker.')
  await first.slot.start()
  for (const { slot } of others) slot.keepStarting()

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
      for (const desk of desks) desk.job?.reject(error)
      await Promise.all(desks.map(({ slot }) => slot.stop()))
    },
  }

  function openDesk(isFirst: boolean): Desk {
    const desk: Desk = {
      slot: createWorkerSlot({
        spawn: (cancelled) => options.spawn({ isFirst, cancelled, busy: busy.buffer }),
        clock,
        log,
        onReady: dispatch,
        onMoved: (message) => options.onMoved?.(message),
        onAnswer(answer) {
          settle(desk, answer)
          dispatch()
        },
        onDeath(cause) {
          const { job } = desk
          setJob(desk, undefined)
          if (job?.isWanted()) passOn(job, cause)
          dispatch()
        },
        onFailedStart(cause) {
          if (!desks.some(({ slot }) => slot.isTaken)) failQueue(cause)
        },
      }),
      job: undefined,
      takenMs: 0,
      windowSeconds: 0,
    }
    return desk
  }

  function countBusy(): number {
    return desks.filter(({ job }) => job).length
  }

  function setJob(desk: Desk, job: Job | undefined): void {
    desk.job = job
    Atomics.store(busy, 0, countBusy())
  }

  function dispatch(): void {
    for (const desk of desks) {
      while (desk.slot.isReady && !desk.job) {
        const job = queue.next()
        if (!job) return
        hand(job, desk)
      }
    }
  }

  function hand(job: Job, desk: Desk): void {
    try {
      // A copy of exactly this window: the caller's array may be a view of a long recording and stays usable.
      const samples = (typeof job.samples === 'function' ? job.samples() : job.samples).slice()
      setJob(desk, job)
      desk.takenMs = stopwatch()
      desk.windowSeconds = samples.length / SAMPLE_RATE_HZ
      desk.slot.send({ type: 'recognise', id: job.id, samples, request: job.request })
    } catch (error) {
      setJob(desk, undefined)
      job.reject(error)
      return
    }
    if (job.priority !== 'interim') return
    const nowMs = desk.takenMs
    pace.observe({ intervalMs: job.intervalMs, waitedMs: nowMs - job.askedMs, nowMs })
  }

  /** Queued work goes; running work is told to stop and its worker is free when it answers. */
  function cancel(job: Job, reason: unknown): void {
    queue.remove(job)
    desks.find((desk) => desk.job === job)?.slot.cancel(job.id)
    job.reject(reason)
  }

  function settle(desk: Desk, answer: WorkerAnswer): void {
    const { job, takenMs, windowSeconds } = desk
    setJob(desk, undefined)
    const nowMs = stopwatch()
    if (job) queue.charge(job, { computeMs: nowMs - takenMs, windowSeconds, nowMs })
    if (!job || job.id !== answer.id) return
    if (answer.type === 'done') return job.resolve(answer.recognition)
    const { failure, message } = answer
    job.reject(
      failure
        ? new SpeechError(failure.status, failure.error)
        : new SpeechError(500, 'Recognition failed.', { cause: new Error(message) }),
    )
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

  function failQueue(cause: unknown): void {
    for (const job of queue.takeAll()) job.reject(new SpeechError(503, 'No speech worker can start.', { cause }))
  }
}
