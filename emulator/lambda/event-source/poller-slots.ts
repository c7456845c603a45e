import type { Clock, Timer } from '../../../services/wire/clock.ts'

/** Batches at a time that a mapping starts with, and may have after growing. */
const INITIAL = 5
const MOST = 1_000
/** 300 a minute, while all are busy. */
const GROWTH = 5
const GROWTH_INTERVAL_MS = 1_000

/** How many batches of one mapping run side by side. */
export interface PollerSlots {
  /** Resolves when there is a free one, or when aborted. */
  free(signal: AbortSignal): Promise<void>
  take(): void
  release(): void
  /** Nothing is to be done: begins small again. */
  shrink(): void
}

export function createPollerSlots(clock: Clock, maximum = MOST): PollerSlots {
  let allowed = Math.min(INITIAL, maximum)
  let busy = 0
  let wake: (() => void) | undefined
  let growth: Timer | undefined

  function settle(): void {
    if (busy >= allowed) return
    growth?.cancel()
    growth = undefined
    wake?.()
  }

  return {
    free(signal) {
      if (busy < allowed || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const end = (): void => {
          signal.removeEventListener('abort', end)
          resolve()
        }
        wake = end
        signal.addEventListener('abort', end, { once: true })
        if (allowed >= maximum) return
        growth = clock.after(GROWTH_INTERVAL_MS, () => {
          allowed = Math.min(allowed + GROWTH, maximum)
          settle()
        })
      })
    },
    take() {
      busy += 1
    },
    release() {
      busy -= 1
      settle()
    },
    shrink() {
      allowed = Math.min(INITIAL, maximum)
    },
  }
}
