import { SpeechError } from '../errors.ts'
import type { Container } from './signature.ts'

/** 413. `seconds`: the whole length, where that is known. */
export function tooLong(maxSeconds: number, seconds?: number): SpeechError {
  const length = seconds === undefined ? 'too long' : `${seconds.toFixed(1)} s long`
  return new SpeechError(413, `The audio is ${length}; at most ${maxSeconds} s are accepted.`)
}

// Bounds for nonsense, far beyond any recording; the resampler goes no further.
const RATE_LIMITS_HZ = [1_000, 384_000] as const

/** @throws {@link SpeechError} 415 for a rate that no recording has */
export function assertSampleRate(what: string, sampleRateHz: number): void {
  if (sampleRateHz >= RATE_LIMITS_HZ[0] && sampleRateHz <= RATE_LIMITS_HZ[1]) return
  throw new SpeechError(415, `The ${what} declares a sample rate of ${sampleRateHz} Hz.`)
}

/** 415 that names the format, where one was recognised. */
export function undecodable(container: Container | undefined): SpeechError {
  const what = container ? `${container.toUpperCase()} audio is not supported` : 'The audio format was not recognised'
  return new SpeechError(415, `${what}; send WAV, MP3, AAC, M4A, FLAC, OGG or WebM.`)
}
