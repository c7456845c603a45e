/** The work a server has taken on, and whether it takes more. */
export interface InFlight {
  readonly files: number
  readonly streams: number
  readonly isDraining: boolean
  /** Counts one piece of work until the returned function is called. */
  begin(kind: 'files' | 'streams'): () => void
  /** Takes no more; resolves when all work has ended. */
  drain(): Promise<void>
}

export function createInFlight(): InFlight {
  const counts = { files: 0, streams: 0 }
  const waiting: (() => void)[] = []
  let isDraining = false

  function isIdle(): boolean {
    return counts.files + counts.streams === 0
  }

  return {
    get files() {
      return counts.files
    },
    get streams() {
      return counts.streams
    },
    get isDraining() {
      return isDraining
    },
    begin(kind) {
      counts[kind] += 1
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        counts[kind] -= 1
        if (isIdle()) for (const resolve of waiting.splice(0)) resolve()
      }
    },
    drain() {
      isDraining = true
      if (isIdle()) return Promise.resolve()
      return new Promise((resolve) => {
        waiting.push(resolve)
      })
    },
  }
}
