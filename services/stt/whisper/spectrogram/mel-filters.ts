/** One triangular filter: `weights` for the spectrum bins from `firstBin` on. */
export interface MelFilter {
  readonly firstBin: number
  readonly weights: Float64Array
}

/** Slaney's mel scale: linear up to 1 kHz, 15 mels there, then logarithmic, 27 mels for a factor of 6.4. */
const LINEAR_HZ_PER_MEL = 200 / 3
const LOG_FROM_HZ = 1000
const LOG_FROM_MEL = LOG_FROM_HZ / LINEAR_HZ_PER_MEL
const LOG_STEP = Math.log(6.4) / 27

/** Filters of equal area over the whole spectrum, as Whisper was trained with: 80 of them, 128 since large-v3. */
export function createMelFilters(count: number, fftLength: number, sampleRateHz: number): MelFilter[] {
  const topMel = toMel(sampleRateHz / 2)
  const edges = Array.from({ length: count + 2 }, (_, index) => toHz((topMel * index) / (count + 1)))
  const bins = fftLength / 2 + 1
  return edges.slice(1, -1).map((center, index) => {
    const low = edges[index] ?? 0
    const high = edges[index + 2] ?? 0
    const heights = Float64Array.from({ length: bins }, (_, bin) => {
      const hz = (bin * sampleRateHz) / fftLength
      const slope = Math.min((hz - low) / (center - low), (high - hz) / (high - center))
      return (Math.max(0, slope) * 2) / (high - low)
    })
    const firstBin = heights.findIndex((height) => height > 0)
    const lastBin = heights.findLastIndex((height) => height > 0)
    return { firstBin: Math.max(firstBin, 0), weights: heights.slice(Math.max(firstBin, 0), lastBin + 1) }
  })
}

function toMel(hz: number): number {
  return hz < LOG_FROM_HZ ? hz / LINEAR_HZ_PER_MEL : LOG_FROM_MEL + Math.log(hz / LOG_FROM_HZ) / LOG_STEP
}

function toHz(mel: number): number {
  return mel < LOG_FROM_MEL ? mel * LINEAR_HZ_PER_MEL : LOG_FROM_HZ * Math.exp(LOG_STEP * (mel - LOG_FROM_MEL))
}
