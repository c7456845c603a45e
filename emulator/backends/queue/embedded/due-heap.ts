/** Something that happens to a message at a time. */
export interface Due {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Serial number of the message. */
  readonly serial: number
}

/** What is due first is on top. Entries are never taken out early: whoever takes one looks whether it still holds. */
export interface DueHeap {
  readonly top: Due | undefined
  push(due: Due): void
  pop(): Due | undefined
  clear(): void
}

export function createDueHeap(): DueHeap {
  const heap: Due[] = []

  function isBefore(left: Due | undefined, right: Due | undefined): boolean {
    if (!left || !right) return left !== undefined
    return left.at < right.at || (left.at === right.at && left.serial < right.serial)
  }

  function rise(due: Due): void {
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (!above || !isBefore(due, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = due
  }

  function sink(due: Due): void {
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const child = isBefore(heap[left + 1], heap[left]) ? left + 1 : left
      const below = heap[child]
      if (!below || !isBefore(below, due)) break
      heap[index] = below
      index = child
    }
    heap[index] = due
  }

  return {
    get top() {
      return heap[0]
    },
    push: rise,
    pop() {
      const top = heap[0]
      const last = heap.pop()
      if (last && heap.length > 0) sink(last)
      return top
    },
    clear() {
      heap.length = 0
    },
  }
}
