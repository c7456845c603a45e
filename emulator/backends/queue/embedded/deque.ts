/** First in, first out, in constant time. */
export interface Deque<T> {
  push(value: T): void
  shift(): T | undefined
  clear(): void
}

/** Taken values are cut off in slices: moving the rest on every time would cost with a long queue. */
const SLICE = 1024

export function createDeque<T>(): Deque<T> {
  let values: T[] = []
  let head = 0
  return {
    push: (value) => {
      values.push(value)
    },
    shift() {
      const value = values[head]
      if (head === values.length) return undefined
      head += 1
      if (head === values.length) {
        values = []
        head = 0
      } else if (head >= SLICE && head * 2 >= values.length) {
        values = values.slice(head)
        head = 0
      }
      return value
    },
    clear() {
      values = []
      head = 0
    },
  }
}
