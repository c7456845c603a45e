import { SAMPLE_RATE_HZ } from '../audio/format.ts'

/** The sample to cut at between two others. */
export type CutPlace = (fromSample: number, toSample: number) => number

// As long as the closure of a stop consonant: less than a pause between phrases, more than a period of any voice.
const WINDOW_SAMPLES = 0.06 * SAMPLE_RATE_HZ
const STEP_SAMPLES = 0.02 * SAMPLE_RATE_HZ

/** The middle of the 60 ms with the least energy; of several that are equal the one nearest to the middle of the stretch. */
export function quietestPlaceIn(samples: Float32Array): CutPlace {
  return (fromSample, toSample) => {
    const middle = Math.round((fromSample + toSample) / 2)
    const steps = Math.floor((toSample - fromSample) / 2 / STEP_SAMPLES)
    let best = { place: middle, energy: energyAround(samples, middle) }
    for (let step = 1; step <= steps; step += 1) {
      for (const place of [middle - step * STEP_SAMPLES, middle + step * STEP_SAMPLES]) {
        const energy = energyAround(samples, place)
        if (energy < best.energy) best = { place, energy }
      }
    }
    return best.place
  }
}

function energyAround(samples: Float32Array, place: number): number {
  const window = samples.subarray(Math.max(0, place - WINDOW_SAMPLES / 2), place + WINDOW_SAMPLES / 2)
  return window.reduce((sum, sample) => sum + sample * sample, 0)
}
