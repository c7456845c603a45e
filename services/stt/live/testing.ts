import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { StreamOptions } from '../engines/port.ts'
import { seededRandom } from '../../wire/seeded-random.ts'

/** What a client asks for that asks for nothing but interims. */
export const LIVE_OPTIONS: StreamOptions = {
  encoding: undefined,
  sampleRateHz: SAMPLE_RATE_HZ,
  channels: 1,
  language: 'en',
  interimResults: true,
  endpointingMs: 300,
  utteranceEndMs: undefined,
  vadEvents: false,
}

const LOUDNESS = 0.1

/** Sounds that nobody speaks in, by name, as samples at 16 kHz. The same each time. */
export const NOISES: Readonly<Record<string, (seconds: number) => Float32Array>> = {
  silence: (seconds) => new Float32Array(seconds * SAMPLE_RATE_HZ),
  'white noise': (seconds) => {
    const random = seededRandom(1)
    return sound(seconds, () => LOUDNESS * gaussian(random))
  },
  'pink noise': pinkNoise,
  'a tone': (seconds) => sound(seconds, (second) => LOUDNESS * Math.sin(2 * Math.PI * 440 * second)),
  music,
}

function sound(seconds: number, at: (second: number) => number): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * SAMPLE_RATE_HZ) }, (_, index) => at(index / SAMPLE_RATE_HZ))
}

/** Box and Muller's: variance 1. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** White noise through Kellet's economical filter: 3 dB less an octave. */
function pinkNoise(seconds: number): Float32Array {
  const random = seededRandom(2)
  let [slow, middle, fast] = [0, 0, 0]
  return sound(seconds, () => {
    const white = gaussian(random)
    slow = 0.99765 * slow + white * 0.099046
    middle = 0.963 * middle + white * 0.2965164
    fast = 0.57 * fast + white * 1.0526913
    return LOUDNESS * 0.3 * (slow + middle + fast + white * 0.1848)
  })
}

const CHORDS = [
  [261.6, 329.6, 392],
  [220, 261.6, 329.6],
  [174.6, 220, 261.6],
  [196, 246.9, 293.7],
] as const
const BEAT_SECONDS = 0.5
const OVERTONES = 5

/** Struck chords, four beats each, with overtones that die away. */
function music(seconds: number): Float32Array {
  return sound(seconds, (second) => {
    const beat = Math.floor(second / BEAT_SECONDS)
    const chord = CHORDS[Math.floor(beat / 4) % CHORDS.length] ?? CHORDS[0]
    const fading = Math.exp(-4 * (second - beat * BEAT_SECONDS))
    let sum = 0
    for (const note of chord) {
      for (let overtone = 1; overtone <= OVERTONES; overtone += 1) {
        sum += Math.sin(2 * Math.PI * note * overtone * second) / overtone ** 1.5
      }
    }
    return LOUDNESS * fading * sum
  })
}

/** Samples as 16 kHz mono s16le. */
export function toPcm(samples: Float32Array): Uint8Array {
  return new Uint8Array(Int16Array.from(samples, (sample) => Math.round(sample * 32_767)).buffer)
}
