/** A pending callback of a clock. */
export interface Timer {
  cancel(): void
}

/**
 * The only source of time. Everything a service or the emulator times goes through it, so that a virtual clock
 * can turn minutes into milliseconds.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs `run` once after `ms` milliseconds, in due order. A pending timer does not keep the process alive. */
  after(ms: number, run: () => void): Timer
  /**
   * As `after`, to give up on what takes real time, such as another program's answer: cancelled when that is there. A
   * virtual clock does not let time pass meanwhile.
   */
  deadline(ms: number, run: () => void): Timer
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** `sleep` for any clock that has `after`. */
export function sleepOn(clock: Pick<Clock, 'after'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.cancel()
      reject(toError(signal?.reason))
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after,
  deadline: after,
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
}

function after(ms: number, run: () => void): Timer {
  const timer = setTimeout(run, ms)
  timer.unref()
  return { cancel: () => clearTimeout(timer) }
}

/** Keeps the process running, which pending timers do not, until it is cancelled. */
export function keepAlive(): Timer {
  const timer = setInterval(() => undefined, KEEP_ALIVE_INTERVAL_MS)
  return { cancel: () => clearInterval(timer) }
}

/** Keeps the process running until `run` is over: while parts start or stop there may be nothing else to do it. */
export async function whileAlive<T>(run: () => Promise<T>): Promise<T> {
  const alive = keepAlive()
  try {
    return await run()
  } finally {
    alive.cancel()
  }
}

/** About the longest that Node takes; nothing happens when it is over. */
const KEEP_ALIVE_INTERVAL_MS = 2_000_000_000

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('The wait was aborted.', { cause: reason })
}
