import type { Timer } from '../../../../services/wire/clock.ts'

/** A receive that waits for messages. */
export interface Waiter {
  /** Tries to take messages; true when it is served and leaves. */
  serve(): boolean
}

/** Those who wait at one queue, longest first. */
export interface Waiters {
  readonly size: number
  add(waiter: Waiter): void
  delete(waiter: Waiter): void
  /** Lets them try, soon: a client that hung up before is known to have done so by then. */
  wake(): void
  /** Rings for the next hidden message. */
  alarm: { readonly at: number; readonly timer: Timer } | undefined
}

export function createWaiters(): Waiters {
  const waiting = new Set<Waiter>()
  let isWoken = false

  function serve(): void {
    isWoken = false
    for (const waiter of waiting) {
      if (!waiter.serve()) return
      waiting.delete(waiter)
    }
  }

  return {
    get size() {
      return waiting.size
    },
    add: (waiter) => {
      waiting.add(waiter)
    },
    delete: (waiter) => {
      waiting.delete(waiter)
    },
    wake() {
      if (isWoken || waiting.size === 0) return
      isWoken = true
      // After the sockets of this turn have been read: their ends are among what was read.
      setImmediate(serve)
    },
    alarm: undefined,
  }
}
