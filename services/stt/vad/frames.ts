import { joinSamples } from '../audio/join-samples.ts'
import { FRAME_SAMPLES } from './ears.ts'

/** Cuts a stream of samples into whole frames of {@link FRAME_SAMPLES}, as many as there are in one array; the rest waits. */
export interface Framer {
  push(samples: Float32Array): Float32Array
  /** With the last frame filled up with silence. */
  finish(samples: Float32Array): Float32Array
}

export function createFramer(): Framer {
  let rest = new Float32Array(0)
  return {
    push(samples) {
      const all = joinSamples([rest, samples])
      const end = all.length - (all.length % FRAME_SAMPLES)
      rest = all.slice(end)
      return all.subarray(0, end)
    },
    finish(samples) {
      const frames = Math.ceil((rest.length + samples.length) / FRAME_SAMPLES)
      const all = new Float32Array(frames * FRAME_SAMPLES)
      all.set(rest)
      all.set(samples, rest.length)
      rest = new Float32Array(0)
      return all
    },
  }
}
