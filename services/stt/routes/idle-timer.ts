import type { Clock, Timer } from '../../wire/clock.ts'

/** Calls back once when nothing has touched it for a while. */
export interface IdleTimer {
  touch(): void
  cancel(): void
}

export function startIdleTimer(clock: Clock, timeoutMs: number, onIdle: () => void): IdleTimer {
  let timer: Timer | undefined
  let isCancelled = false

  function touch(): void {
    timer?.cancel()
    if (!isCancelled) timer = clock.after(timeoutMs, onIdle)
  }

  touch()
  return {
    touch,
    cancel() {
      isCancelled = true
      timer?.cancel()
    },
  }
}
