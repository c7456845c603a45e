import { seededRandom } from '../../services/wire/seeded-random.ts'

/** What a recording may go through before it is heard. 16 kHz in and out. */
export const CONDITIONS: Readonly<Record<string, (samples: Float32Array) => Float32Array>> = {
  clean: (samples) => samples,
  'µ-law, 8 kHz': telephone,
  'noise at 10 dB': (samples) => withNoise(samples, 10),
}

const HALF_TAPS = 32

/** Half the band, companded to 8 bits and back. */
function telephone(samples: Float32Array): Float32Array {
  const narrow = lowPass(samples)
  const held = new Float32Array(samples.length)
  // Every second sample is kept; zeros between them and the filter again make up the others.
  for (let at = 0; at < narrow.length; at += 2) held[at] = 2 * companded(narrow[at] ?? 0)
  return lowPass(held)
}

/** To a quarter of the sampling rate: a windowed sinc. */
function lowPass(samples: Float32Array): Float32Array {
  const taps = Array.from({ length: 2 * HALF_TAPS + 1 }, (_, index) => {
    const place = index - HALF_TAPS
    const sinc = place === 0 ? 0.5 : Math.sin((Math.PI * place) / 2) / (Math.PI * place)
    return sinc * (0.54 + 0.46 * Math.cos((Math.PI * place) / HALF_TAPS))
  })
  return samples.map((_, at) => {
    let sum = 0
    for (const [index, tap] of taps.entries()) sum += tap * (samples[at + index - HALF_TAPS] ?? 0)
    return sum
  })
}

const MU = 255

/** G.711's curve, rounded to 8 bits. */
function companded(sample: number): number {
  const level = Math.log1p(MU * Math.min(1, Math.abs(sample))) / Math.log1p(MU)
  const rounded = Math.round(level * 127) / 127
  return (Math.sign(sample) * Math.expm1(rounded * Math.log1p(MU))) / MU
}

/** White noise so many decibels below the mean power of the recording. The same each time. */
function withNoise(samples: Float32Array, decibels: number): Float32Array {
  const random = seededRandom(3)
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
  // Uniform from -1 to 1 has a power of a third.
  const loudness = Math.sqrt(3 * power * 10 ** (-decibels / 10))
  return samples.map((sample) => Math.max(-1, Math.min(1, sample + loudness * (2 * random() - 1))))
}
