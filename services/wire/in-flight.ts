/** The work a program has taken on, and whether it takes more. */
export interface InFlight {
  readonly isDraining: boolean
  /** Counts one piece of work until the returned function is called. */
  begin(): () => void
  /** Takes no more; resolves when all work has ended. */
  drain(): Promise<void>
}

export function createInFlight(): InFlight {
  const waiting: (() => void)[] = []
  let count = 0
  let isDraining = false

  return {
    get isDraining() {
      return isDraining
    },
    begin() {
      count += 1
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        count -= 1
        if (count === 0) for (const resolve of waiting.splice(0)) resolve()
      }
    },
    drain() {
      isDraining = true
      if (count === 0) return Promise.resolve()
      return new Promise((resolve) => {
        waiting.push(resolve)
      })
    },
  }
}
