import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../../wire/clock.ts'
import type { Log } from '../../../wire/log.ts'
import { SAMPLE_RATE_HZ } from '../../audio/format.ts'
import { SpeechError } from '../../errors.ts'
import type { WindowRequest } from '../recognise-window.ts'
import { createPace } from './pace.ts'
import type { Load, Recognition, Samples, WindowOptions } from '../port.ts'
import { createTurns, type Waiting } from './turns.ts'
import { laneOf, LANES, type Lane, type WorkerAnswer } from './worker-messages.ts'
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
  /** A 32-bit number for each of `LANES`: the id of the request to stop, or `STOP_ALL`. */
  readonly cancelled: SharedArrayBuffer
  /** One 32-bit number: how many workers work. */
  readonly busy: SharedArrayBuffer
}

/**
 * Worker threads that answer requests, the most urgent first: each one of a file, and one of somebody who speaks, for which
 * the file's waits.
 */
export interface Pool {
  readonly load: Load
  /** `samples` that are a function are asked for when a worker is free. */
  recognise(samples: Samples, options: WindowOptions): Promise<Recognition>
  /** As `Recogniser` says. */
  recogniseTogether(windows: readonly Float32Array[], options: WindowOptions): Promise<readonly Recognition[]>
  stop(): Promise<void>
}

interface Job extends Waiting {
  readonly lane: Lane
  readonly windows: () => readonly Float32Array[]
  /** How often interims were to be asked for when it was. */
  readonly intervalMs: number
  readonly request: WindowRequest
  /** Its worker died once: if another one dies of it too, the work itself may be why. */
  hasLostWorker: boolean
  readonly isWanted: () => boolean
  resolve(recognitions: readonly Recognition[]): void
  reject(error: unknown): void
}

/** A worker's place, and what it works on. */
interface Desk {
  readonly slot: WorkerSlot
  readonly tasks: Record<Lane, Task | undefined>
}

interface Task {
  readonly job: Job
  readonly takenMs: number
  readonly windowSeconds: number
  /** How long it had to wait for others. */
  pausedMs: number
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
    async recognise(samples, window) {
      const windows = () => [typeof samples === 'function' ? samples() : samples]
      const [recognition] = await ask(windows, window)
      return recognition as Recognition
    },
    recogniseTogether: (windows, window) => ask(() => windows, window),
    async stop() {
      isStopped = true
      const error = new SpeechError(503, 'The recogniser is stopping.')
      for (const job of queue.takeAll()) job.reject(error)
      for (const { job } of desks.flatMap(tasksOf)) job.reject(error)
      await Promise.all(desks.map(({ slot }) => slot.stop()))
    },
  }

  function ask(
    windows: () => readonly Float32Array[],
    { signal, turn, ...request }: WindowOptions,
  ): Promise<readonly Recognition[]> {
    return new Promise((resolve, reject) => {
      if (isStopped) throw new SpeechError(503, 'The recogniser is stopping.')
      signal?.throwIfAborted()
      const finished = (): void => signal?.removeEventListener('abort', abort)
      const job: Job = {
        id: nextId,
        lane: laneOf(request),
        windows,
        request,
        priority: request.priority,
        ...turn,
        askedMs: stopwatch(),
        intervalMs: pace.intervalMs,
        hasLostWorker: false,
        isWanted: () => !signal?.aborted,
        resolve: (recognitions) => {
          finished()
          resolve(recognitions)
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
          const lost = tasksOf(desk)
          for (const { job } of lost) setTask(desk, job.lane, undefined)
          for (const { job } of lost) if (job.isWanted()) passOn(job, cause)
          dispatch()
        },
        onFailedStart(cause) {
          if (!desks.some(({ slot }) => slot.isTaken)) failQueue(cause)
        },
      }),
      tasks: { live: undefined, file: undefined },
    }
    return desk
  }

  function countBusy(): number {
    return desks.filter((desk) => tasksOf(desk).length > 0).length
  }

  function setTask(desk: Desk, lane: Lane, task: Task | undefined): void {
    desk.tasks[lane] = task
    Atomics.store(busy, 0, countBusy())
  }

  /** Whoever speaks gets a worker that has nothing to do, else one that works on a file. */
  function dispatch(): void {
    for (const desk of desks) {
      while (desk.slot.isReady && tasksOf(desk).length === 0) {
        const job = queue.next()
        if (!job) return
        hand(job, desk)
      }
    }
    for (const desk of desks) {
      while (desk.slot.isReady && !desk.tasks.live && mayShare(desk.tasks.file?.job)) {
        const job = queue.next((each) => each.lane === 'live' && mayShare(each))
        if (!job) return
        hand(job, desk)
      }
    }
  }

  function hand(job: Job, desk: Desk): void {
    const { lane, request } = job
    const takenMs = stopwatch()
    try {
      // A copy of exactly this audio: the caller's array may be a view of a long recording and stays usable.
      const windows = job.windows().map((samples) => samples.slice())
      const windowSeconds = windows.reduce((sum, { length }) => sum + length, 0) / SAMPLE_RATE_HZ
      setTask(desk, lane, { job, takenMs, windowSeconds, pausedMs: 0 })
      desk.slot.send({ type: 'recognise', id: job.id, windows, request })
    } catch (error) {
      setTask(desk, lane, undefined)
      job.reject(error)
      return
    }
    if (job.priority !== 'interim') return
    pace.observe({ intervalMs: job.intervalMs, waitedMs: takenMs - job.askedMs, nowMs: takenMs })
  }

  /** Queued work goes; running work is told to stop and its worker is free when it answers. */
  function cancel(job: Job, reason: unknown): void {
    queue.remove(job)
    desks.find(({ tasks }) => tasks[job.lane]?.job === job)?.slot.cancel(job.lane, job.id)
    job.reject(reason)
  }

  function settle(desk: Desk, answer: WorkerAnswer): void {
    const task = tasksOf(desk).find(({ job }) => job.id === answer.id)
    if (!task) return
    const { job, takenMs, windowSeconds, pausedMs } = task
    setTask(desk, job.lane, undefined)
    const nowMs = stopwatch()
    if (desk.tasks.file) desk.tasks.file.pausedMs += nowMs - takenMs
    queue.charge(job, { computeMs: nowMs - takenMs - pausedMs, windowSeconds, nowMs })
    if (answer.type === 'done') return job.resolve(answer.recognitions)
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

function tasksOf({ tasks }: Desk): Task[] {
  return LANES.flatMap((lane) => tasks[lane] ?? [])
}

/** Of what was done when a worker died one thing is why: each of them gets the next worker for itself. */
function mayShare(job: Job | undefined): boolean {
  return !job?.hasLostWorker
}
