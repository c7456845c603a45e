import { openWav } from '../../../services/stt/audio/file.ts'
import { SAMPLE_RATE_HZ } from '../../../services/stt/audio/format.ts'
import { createPcmDecoder } from '../../../services/stt/audio/pcm-decoder.ts'
import type { Clip } from '../../walk/clips.ts'

/** What streams say: `place`, from 0 to 1, is where in the clips one of them begins. As s16le, of some seconds. */
export type Speech = (place: number, seconds: number) => Buffer

const BYTES_PER_SAMPLE = 2
const BYTES_PER_SECOND = SAMPLE_RATE_HZ * BYTES_PER_SAMPLE
/** Between two sentences: what the readers of the clips leave. */
const PAUSES_SECONDS = [0.5, 0.8, 1.1] as const

/** As people speak: whole clips with pauses between them, the last one to its end. */
export function phrasesOf(clips: readonly Clip[]): Speech {
  const spoken = clips.map(audioOf)
  return (place, seconds) => {
    const first = Math.floor(place * spoken.length)
    const parts: Buffer[] = []
    for (let count = 0; lengthOf(parts) < seconds * BYTES_PER_SECOND; count += 1) {
      const pause = PAUSES_SECONDS[(first + count) % PAUSES_SECONDS.length] ?? 0
      parts.push(spoken[(first + count) % spoken.length] ?? Buffer.alloc(0), silence(pause))
    }
    return Buffer.concat(parts)
  }
}

/** A stretch from anywhere of all clips put end to end: it starts and stops in mid-word, and speakers cut each other short. */
export function stretchesOf(clips: readonly Clip[]): Speech {
  const spoken = Buffer.concat(clips.map(audioOf))
  return (place, seconds) => {
    const first = Math.floor((place * spoken.length) / BYTES_PER_SAMPLE) * BYTES_PER_SAMPLE
    const length = Math.round(seconds * SAMPLE_RATE_HZ) * BYTES_PER_SAMPLE
    const again = Array.from({ length: Math.ceil((first + length) / spoken.length) }, () => spoken)
    return Buffer.concat(again).subarray(first, first + length)
  }
}

function audioOf({ bytes }: Clip): Buffer {
  return Buffer.from(openWav(bytes, Number.POSITIVE_INFINITY).audio)
}

function silence(seconds: number): Buffer {
  return Buffer.alloc(Math.round(seconds * SAMPLE_RATE_HZ) * BYTES_PER_SAMPLE)
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

export function secondsOf(speech: Buffer): number {
  return speech.length / BYTES_PER_SECOND
}

export function samplesOf(speech: Buffer): Float32Array {
  return createPcmDecoder({ encoding: 's16', sampleRateHz: SAMPLE_RATE_HZ, channels: 1 })(speech)
}
