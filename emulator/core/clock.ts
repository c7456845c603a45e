import { type Clock, type Timer, sleepOn } from '../../services/wire/clock.ts'

/** A clock that stands still until it is told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves `ms` milliseconds on and runs what falls due, in due order, each callback at its own time. What callbacks
   * schedule within the span runs too. While there is a deadline for an answer time stands still until the answer is
   * there, or half a second has really passed without one. Calls queue up: a second one starts where the first one ends.
   */
  advance(ms: number): Promise<void>
  /** Timers that are not due yet. */
  readonly pending: number
}

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
  /** Of a deadline: until when, in real time, it keeps time from passing. */
  readonly heldUntilMs?: number
}

/**
 * Longer than a server on the same machine takes to answer while other programs keep it busy. A drill in which nothing
 * answers waits for it once for each deadline.
 */
const PATIENCE_MS = 500
const LOOK_EVERY_MS = 1

export function createVirtualClock(startMs: number): VirtualClock {
  const timers = new Set<Due>()
  let nowMs = startMs
  let scheduled = 0
  let moving = Promise.resolve()

  function schedule(ms: number, how: Pick<Due, 'run' | 'heldUntilMs'>): Timer {
    const due = { at: nowMs + Math.max(0, ms), order: scheduled, ...how }
    scheduled += 1
    timers.add(due)
    return { cancel: () => timers.delete(due) }
  }

  const after = (ms: number, run: () => void): Timer => schedule(ms, { run })

  async function move(ms: number): Promise<void> {
    const end = nowMs + ms
    await settle(timers)
    for (let due = nextOf(timers); due && due.at <= end; due = nextOf(timers)) {
      timers.delete(due)
      nowMs = due.at
      due.run()
      await settle(timers)
    }
    nowMs = end
  }

  return {
    now: () => nowMs,
    after,
    deadline: (ms, run) => schedule(ms, { run, heldUntilMs: performance.now() + PATIENCE_MS }),
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
 * without real waiting is over before time goes on; then waits for the answers that deadlines are for.
 */
async function settle(timers: ReadonlySet<Due>): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  while (isHeld(timers)) {
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_EVERY_MS)
    })
  }
}

function isHeld(timers: ReadonlySet<Due>): boolean {
  const realMs = performance.now()
  for (const { heldUntilMs } of timers) if (heldUntilMs !== undefined && heldUntilMs > realMs) return true
  return false
}
