import { SAMPLE_RATE_HZ } from '../audio/format.ts'

/** The recent samples of a stream, addressed by their position in the whole stream. */
export interface SampleBuffer {
  /** Position after the newest sample. */
  readonly endSample: number
  append(samples: Float32Array): void
  /** A copy; positions that are no longer (or not yet) there are left out. */
  slice(fromSample: number, toSample: number): Float32Array
  /** May keep up to a second more than what is needed. */
  dropBefore(sample: number): void
}

/** A second: memory comes and goes in pieces of this size, and no sample is ever moved. */
const BLOCK_SAMPLES = SAMPLE_RATE_HZ

export function createSampleBuffer(): SampleBuffer {
  /** Of `BLOCK_SAMPLES` each; the last one is filled up to `endSample`. */
  let blocks: Float32Array[] = []
  let firstSample = 0
  let endSample = 0

  return {
    get endSample() {
      return endSample
    },
    append(samples) {
      let taken = 0
      while (taken < samples.length) {
        const used = (endSample - firstSample) % BLOCK_SAMPLES
        if (used === 0) blocks.push(new Float32Array(BLOCK_SAMPLES))
        const part = samples.subarray(taken, taken + BLOCK_SAMPLES - used)
        blocks.at(-1)?.set(part, used)
        taken += part.length
        endSample += part.length
      }
    },
    slice(fromSample, toSample) {
      const start = Math.max(firstSample, fromSample)
      const copy = new Float32Array(Math.max(0, Math.min(endSample, toSample) - start))
      let filled = 0
      while (filled < copy.length) {
        const place = start + filled - firstSample
        const from = place % BLOCK_SAMPLES
        const part = blocks[Math.floor(place / BLOCK_SAMPLES)]?.subarray(from, from + copy.length - filled)
        if (!part) break
        copy.set(part, filled)
        filled += part.length
      }
      return copy
    },
    dropBefore(sample) {
      const count = Math.floor((Math.min(sample, endSample) - firstSample) / BLOCK_SAMPLES)
      if (count <= 0) return
      blocks = blocks.slice(count)
      firstSample += count * BLOCK_SAMPLES
    },
  }
}
