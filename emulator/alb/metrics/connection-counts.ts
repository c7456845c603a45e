/** What no event tells: connections come and go. */
export interface ConnectionObserver {
  opened(node: number): void
  closed(node: number): void
  handshakeFailed(): void
}

/** Connections of clients, by minute and node. */
export interface ConnectionCounts {
  readonly observer: ConnectionObserver
  /** Of all nodes when `node` is absent. */
  in(minute: number, node: number | undefined): Counts
}

interface Counts {
  opened: number
  /** Open at any time of the minute. */
  active: number
  /** Handshakes that came to nothing. */
  failed: number
}

interface Minute {
  readonly at: number
  /** By node. */
  readonly opened: number[]
  readonly openBefore: readonly number[]
  failed: number
}

export function createConnectionCounts(currentMinute: () => number, keptMinutes: number): ConnectionCounts {
  const minutes: Minute[] = []
  const open: number[] = []

  function current(): Minute {
    const at = currentMinute()
    const last = minutes.at(-1)
    if (last && last.at >= at) return last
    const minute = { at, opened: [], openBefore: [...open], failed: 0 }
    minutes.push(minute)
    if (minutes.length > keptMinutes) minutes.shift()
    return minute
  }

  return {
    observer: {
      opened(node) {
        const { opened } = current()
        opened[node] = (opened[node] ?? 0) + 1
        open[node] = (open[node] ?? 0) + 1
      },
      closed(node) {
        current()
        open[node] = (open[node] ?? 0) - 1
      },
      handshakeFailed() {
        current().failed += 1
      },
    },
    in(at, node) {
      const minute = minutes.find((each) => each.at === at)
      // Where nothing came and nothing went, it is as the next change found it, or as it is now.
      const openBefore = minute?.openBefore ?? minutes.find((each) => each.at > at)?.openBefore ?? open
      const of = (counts: readonly number[]): number =>
        node === undefined ? counts.reduce((sum, each) => sum + each, 0) : (counts[node] ?? 0)
      const opened = of(minute?.opened ?? [])
      return { opened, active: of(openBefore) + opened, failed: minute?.failed ?? 0 }
    },
  }
}
