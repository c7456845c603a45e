import { FRAME_SAMPLES } from './ears.ts'

/** Cuts a stream of samples into frames of {@link FRAME_SAMPLES}; the rest waits. */
export function createFramer(): { push(samples: Float32Array): Float32Array[]; finish(): Float32Array[] } {
  let rest = new Float32Array(0)
  return {
    push(samples) {
      const whole = new Float32Array(rest.length + samples.length)
      whole.set(rest)
      whole.set(samples, rest.length)
      const count = Math.floor(whole.length / FRAME_SAMPLES)
      rest = whole.slice(count * FRAME_SAMPLES)
      return Array.from({ length: count }, (_, index) =>
        whole.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES),
      )
    },
    finish() {
      if (rest.length === 0) return []
      const last = new Float32Array(FRAME_SAMPLES)
      last.set(rest)
      rest = new Float32Array(0)
      return [last]
    },
  }
}
