import { type Clock, type Timer, sleepOn } from '../../services/wire/clock.ts'

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves `ms` milliseconds on and runs what falls due, in due order, each callback at its own time. What callbacks
   * schedule within the span runs too. Calls queue up: a second one starts where the first one ends.
   */
  advance(ms: number): Promise<void>
  /** Timers that are not due yet. */
  readonly pending: number
}

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export function createVirtualClock(startMs: number): VirtualClock {
  const timers = new Set<Due>()
  let nowMs = startMs
  let scheduled = 0
  let moving = Promise.resolve()

  function after(ms: number, run: () => void): Timer {
    const due = { at: nowMs + Math.max(0, ms), order: scheduled, run }
    scheduled += 1
    timers.add(due)
    return { cancel: () => timers.delete(due) }
  }

  async function move(ms: number): Promise<void> {
    const end = nowMs + ms
    await settle()
    for (let due = nextOf(timers); due && due.at <= end; due = nextOf(timers)) {
      timers.delete(due)
      nowMs = due.at
      due.run()
      await settle()
    }
    nowMs = end
  }

  return {
    now: () => nowMs,
    after,
    sleep: (ms, signal) => sleepOn({ after }, ms, signal),
    advance(ms) {
      const moved = moving.then(() => move(ms))
      // A callback that throws fails its own advance only.
      moving = moved.catch(() => undefined)
      return moved
    },
    get pending() {
      return timers.size
    },
  }
}

/** Due first; among equals the one scheduled first. */
function nextOf(timers: ReadonlySet<Due>): Due | undefined {
  let next: Due | undefined
  for (const due of timers) {
    if (!next || due.at < next.at || (due.at === next.at && due.order < next.order)) next = due
  }
  return next
}

/**
 * Lets every promise job and tick that the last callback caused run, and one round of input and output, so that work
 * without real waiting is over before time goes on.
 */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
