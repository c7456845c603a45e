import type { Clock } from '../wire/clock.ts'

/** Lets one sleeper be woken, also just before it falls asleep. */
export interface WakeUp {
  wake(): void
  /** Forgets what woke it so far. */
  reset(): void
  /** Resolves when woken since the last `reset`, or after `ms`. */
  wait(ms: number): Promise<void>
}

export function createWakeUp(clock: Clock): WakeUp {
  let isAwake = false
  let sleeper: (() => void) | undefined

  return {
    wake() {
      isAwake = true
      sleeper?.()
    },
    reset() {
      isAwake = false
    },
    async wait(ms) {
      if (isAwake) return
      await new Promise<void>((resolve) => {
        const timer = clock.after(ms, resolve)
        sleeper = () => {
          timer.cancel()
          resolve()
        }
      })
      sleeper = undefined
    },
  }
}
