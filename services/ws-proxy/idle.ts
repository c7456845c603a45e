import type { Clock, Timer } from '../wire/clock.ts'

export interface IdleWatch {
  /** Something came. */
  touch(): void
  cancel(): void
}

export interface IdleOptions {
  readonly timeoutMs: number
  /** Whether silence is no sign now: then the time begins anew. */
  isExcused(): boolean
  /** Called once. */
  onIdle(): void
}

/** Notices when nothing has come for a while. Touching is free: many frames a second do it. */
export function watchIdle(clock: Clock, { timeoutMs, isExcused, onIdle }: IdleOptions): IdleWatch {
  let lastAt = clock.now()
  let timer: Timer = clock.after(timeoutMs, check)

  function check(): void {
    if (isExcused()) lastAt = clock.now()
    const leftMs = lastAt + timeoutMs - clock.now()
    if (leftMs <= 0) onIdle()
    else timer = clock.after(leftMs, check)
  }

  return {
    touch() {
      lastAt = clock.now()
    },
    cancel: () => timer.cancel(),
  }
}
