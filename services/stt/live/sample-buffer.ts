/** The recent samples of a stream, addressed by their position in the whole stream. */
export interface SampleBuffer {
  /** Position after the newest sample. */
  readonly endSample: number
  append(samples: Float32Array): void
  /** A copy; positions that are no longer (or not yet) there are left out. */
  slice(fromSample: number, toSample: number): Float32Array
  /** May keep up to twice what is needed. */
  dropBefore(sample: number): void
}

export function createSampleBuffer(): SampleBuffer {
  let held = new Float32Array(0)
  let first = 0
  let length = 0

  return {
    get endSample() {
      return first + length
    },
    append(samples) {
      if (length + samples.length > held.length) {
        const larger = new Float32Array((length + samples.length) * 2)
        larger.set(held.subarray(0, length))
        held = larger
      }
      held.set(samples, length)
      length += samples.length
    },
    slice(fromSample, toSample) {
      return held.slice(Math.max(0, fromSample - first), Math.max(0, Math.min(length, toSample - first)))
    },
    dropBefore(sample) {
      const dropped = Math.min(length, Math.max(0, sample - first))
      // Moving what stays costs time: only when at least as much goes.
      if (dropped === 0 || dropped < length - dropped) return
      held = held.slice(dropped, length)
      first += dropped
      length -= dropped
    },
  }
}
