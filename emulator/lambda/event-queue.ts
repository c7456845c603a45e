import type { Clock, Timer } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import type { Invocation, Outcome } from './instance.ts'
import { isThrottled } from './service-error.ts'

/** A failed event is tried again after one minute, then after two, then no more. */
const RETRY_DELAYS_MS = [60_000, 120_000] as const

/** A throttled one waits, longer each time, for six hours in all. */
const FIRST_BACK_OFF_MS = 1_000
const LONGEST_BACK_OFF_MS = 300_000
const MAXIMUM_AGE_MS = 6 * 3_600_000

export interface EventQueueDeps {
  run(invocation: Invocation): Promise<Outcome>
  readonly clock: Clock
  readonly log: Log
}

/** The internal queue of asynchronous invocations. It is in memory only: events that wait are lost with the process. */
export interface EventQueue {
  send(invocation: Invocation): void
  /** Drops what waits. */
  stop(): void
}

export function createEventQueue({ run, clock, log }: EventQueueDeps): EventQueue {
  const waiting = new Set<Timer>()
  let isStopped = false

  function later(ms: number, attempt: () => void): void {
    if (isStopped) return
    const timer = clock.after(ms, () => {
      waiting.delete(timer)
      attempt()
    })
    waiting.add(timer)
  }

  function send(invocation: Invocation): void {
    const sentAt = clock.now()
    let failures = 0
    let backOffMs = FIRST_BACK_OFF_MS
    const attempt = (): void => void run(invocation).then(settled, refused)

    function settled({ failure }: Outcome): void {
      if (!failure) return
      const delayMs = RETRY_DELAYS_MS[failures]
      failures += 1
      if (delayMs === undefined) return drop('RetriesExhausted')
      later(delayMs, attempt)
    }

    function refused(error: unknown): void {
      if (!isThrottled(error) || clock.now() - sentAt + backOffMs > MAXIMUM_AGE_MS) return drop('EventAgeExceeded')
      later(backOffMs, attempt)
      backOffMs = Math.min(2 * backOffMs, LONGEST_BACK_OFF_MS)
    }

    function drop(condition: string): void {
      const { requestId } = invocation
      log.warn({ requestId, condition, approximateInvokeCount: failures }, 'an event was dropped')
    }

    later(0, attempt)
  }

  return {
    send,
    stop() {
      isStopped = true
      for (const timer of waiting) timer.cancel()
    },
  }
}
