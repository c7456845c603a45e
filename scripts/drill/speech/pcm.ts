import { MULAW } from '../../../services/stt/audio/companding.ts'

/** Of the recordings that the drill says. */
export const SAMPLE_RATE_HZ = 16_000

export function cut(bytes: Buffer, frameBytes: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / frameBytes) }, (_, index) =>
    bytes.subarray(index * frameBytes, (index + 1) * frameBytes),
  )
}

export function silence(seconds: number): Float32Array {
  return new Float32Array(Math.round(seconds * SAMPLE_RATE_HZ))
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]))
}

export function samplesOf(pcm: Uint8Array): Float32Array {
  const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength)
  return Float32Array.from({ length: pcm.length / 2 }, (_, index) => view.getInt16(2 * index, true) / 32_768)
}

/** By straight lines, and by means where samples become fewer: good enough to be understood. */
export function resample(samples: Float32Array, rateHz: number): Float32Array {
  const ratio = SAMPLE_RATE_HZ / rateHz
  return Float32Array.from({ length: Math.floor(samples.length / ratio) }, (_, index) => {
    const [before = 0, after = before] = samples.subarray(Math.floor(index * ratio), Math.floor(index * ratio) + 2)
    const between = ratio > 1 ? 0.5 : (index * ratio) % 1
    return before + (after - before) * between
  })
}

export function toLinear16(samples: Float32Array, channels: number): Buffer {
  const bytes = Buffer.alloc(samples.length * channels * 2)
  for (let at = 0; at < samples.length * channels; at += 1) {
    bytes.writeInt16LE(Math.round((samples[Math.floor(at / channels)] ?? 0) * 32_767), 2 * at)
  }
  return bytes
}

/** The nearest of the 256 values. */
export function toMulaw(samples: Float32Array): Buffer {
  const values = Array.from(MULAW, (value, byte) => ({ value, byte })).toSorted((a, b) => a.value - b.value)
  return Buffer.from(
    Array.from(samples, (sample) => {
      let [low, high] = [0, values.length - 1]
      while (low < high) {
        const middle = (low + high) >> 1
        if ((values[middle]?.value ?? 0) < sample) low = middle + 1
        else high = middle
      }
      return values[low]?.byte ?? 0
    }),
  )
}
