import { createFft, type ComplexBuffer } from './fft.ts'
import { createMelFilters, type MelFilter } from './mel-filters.ts'

// Whisper's front end: 25 ms windows every 10 ms at 16 kHz.
export const SAMPLE_RATE_HZ = 16_000
export const HOP_SAMPLES = 160
const WINDOW_SAMPLES = 400

/** Energies below this are silence: -10 decades. */
const ENERGY_FLOOR = 1e-10
const SILENCE = -10
/** Decades kept below the loudest value of the window. */
const DYNAMIC_RANGE = 8

export interface LogMel {
  /**
   * Log-mel spectrogram [mels, frames] of a window: the samples, then silence up to `frames`. A new array each time.
   */
  compute(samples: Float32Array, frames: number): Float32Array
}

/** Tables and buffers are made once, so keep it: one for each thread. */
export function createLogMel(mels: number): LogMel {
  const fft = createFft(WINDOW_SAMPLES)
  const filters = createMelFilters(mels, WINDOW_SAMPLES, SAMPLE_RATE_HZ)
  const window = hannWindow()
  const energies = [new Float64Array(WINDOW_SAMPLES / 2 + 1), new Float64Array(WINDOW_SAMPLES / 2 + 1)] as const

  return {
    compute(samples, frames) {
      const mel = new Float32Array(mels * frames).fill(SILENCE)
      const voiced = Math.min(frames, Math.ceil((samples.length + WINDOW_SAMPLES / 2) / HOP_SAMPLES))
      let loudest = SILENCE
      // Two real frames make one complex transform: one as its real, one as its imaginary part.
      for (let frame = 0; frame < voiced; frame += 2) {
        fillWindow(fft.input.real, samples, frame, window)
        fillWindow(fft.input.imaginary, samples, frame + 1, window)
        separateEnergies(fft.transform(), energies)
        loudest = Math.max(loudest, applyFilters(filters, energies[0], { mel, frames, frame }))
        if (frame + 1 < voiced) {
          loudest = Math.max(loudest, applyFilters(filters, energies[1], { mel, frames, frame: frame + 1 }))
        }
      }
      const floor = loudest - DYNAMIC_RANGE
      for (let index = 0; index < mel.length; index += 1) {
        const decades = mel[index] as number
        mel[index] = ((decades > floor ? decades : floor) + 4) / 4
      }
      return mel
    },
  }
}

function hannWindow(): Float64Array {
  return Float64Array.from({ length: WINDOW_SAMPLES }, (_, index) =>
    // Whisper keeps the window in single precision.
    Math.fround(0.5 - 0.5 * Math.cos((2 * Math.PI * index) / WINDOW_SAMPLES)),
  )
}

/** Windows are centred on their frame; before the first sample the signal is mirrored, after the last it is silent. */
function fillWindow(target: Float64Array, samples: Float32Array, frame: number, window: Float64Array): void {
  const start = frame * HOP_SAMPLES - WINDOW_SAMPLES / 2
  if (start >= 0 && start + WINDOW_SAMPLES <= samples.length) {
    for (let index = 0; index < WINDOW_SAMPLES; index += 1) {
      target[index] = (samples[start + index] as number) * (window[index] as number)
    }
    return
  }
  for (let index = 0; index < WINDOW_SAMPLES; index += 1) {
    target[index] = (samples[Math.abs(start + index)] ?? 0) * (window[index] as number)
  }
}

function separateEnergies({ real, imaginary }: ComplexBuffer, energies: readonly [Float64Array, Float64Array]): void {
  const [first, second] = energies
  for (let bin = 0; bin < first.length; bin += 1) {
    const mirrored = bin === 0 ? 0 : WINDOW_SAMPLES - bin
    const re = real[bin] as number
    const im = imaginary[bin] as number
    const mirroredRe = real[mirrored] as number
    const mirroredIm = imaginary[mirrored] as number
    first[bin] = ((re + mirroredRe) ** 2 + (im - mirroredIm) ** 2) / 4
    second[bin] = ((re - mirroredRe) ** 2 + (im + mirroredIm) ** 2) / 4
  }
}

interface MelTarget {
  readonly mel: Float32Array
  readonly frames: number
  readonly frame: number
}

/** Writes one frame as logarithms and returns its loudest. */
function applyFilters(
  filters: readonly MelFilter[],
  energies: Float64Array,
  { mel, frames, frame }: MelTarget,
): number {
  let loudest = Number.NEGATIVE_INFINITY
  let at = frame
  for (const { firstBin, weights } of filters) {
    let sum = 0
    for (let index = 0; index < weights.length; index += 1) {
      sum += (weights[index] as number) * (energies[firstBin + index] as number)
    }
    const decades = sum > ENERGY_FLOOR ? Math.log(sum) * Math.LOG10E : SILENCE
    mel[at] = decades
    if (decades > loudest) loudest = decades
    at += frames
  }
  return loudest
}
