import type { SpeechResult, SpokenWord } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { Recognition } from '../whisper/port.ts'

export interface Span {
  readonly startSample: number
  readonly endSample: number
}

export interface Flags {
  readonly isFinal: boolean
  readonly speechFinal: boolean
  readonly fromFinalize: boolean
}

export interface Said {
  readonly text: string
  readonly words: readonly SpokenWord[]
  readonly confidence: number
  /** Nothing should build on it. */
  readonly isDoubtful?: boolean
}

export const NOTHING_SAID: Said = { text: '', words: [], confidence: 0 }

/** A result over `span`, its words moved from window time to stream time and kept inside the span. */
export function toResult(span: Span, flags: Flags, { text, words, confidence }: Said): SpeechResult {
  const start = span.startSample / SAMPLE_RATE_HZ
  const end = span.endSample / SAMPLE_RATE_HZ
  return {
    type: 'Result',
    startSeconds: roundSeconds(start),
    durationSeconds: roundSeconds(end - start),
    ...flags,
    text,
    confidence,
    words: words.map((word) => ({
      ...word,
      startSeconds: roundSeconds(Math.min(end, start + word.startSeconds)),
      endSeconds: roundSeconds(Math.min(end, start + word.endSeconds)),
    })),
  }
}

/** What the first words of a recognition say by themselves. */
export function saidBy(words: readonly SpokenWord[]): Said {
  if (words.length === 0) return NOTHING_SAID
  const confidence = words.reduce((sum, word) => sum + word.confidence, 0) / words.length
  return { text: words.map(({ word }) => word).join(' '), words, confidence }
}

// Whisper answers "you" or "Thank you." to a cough: short, and unsure of it.
export const BLIP_SECONDS = 0.2
const NO_SPEECH = 0.6
const UNSURE_LOG_PROBABILITY = -1

/** Text that stands for a noise, not for words. */
export function isBlip(recognition: Recognition, voicedSamples: number): boolean {
  if (voicedSamples >= BLIP_SECONDS * SAMPLE_RATE_HZ) return false
  return recognition.noSpeechProbability > NO_SPEECH || recognition.averageLogProbability < UNSURE_LOG_PROBABILITY
}

// Beyond this text compresses like a loop, not like language (the limit of Whisper's own decoder).
const LOOP_COMPRESSION_RATIO = 2.4

export function isLoop(recognition: Recognition): boolean {
  return recognition.compressionRatio > LOOP_COMPRESSION_RATIO
}

/** To the microsecond: enough for any clock, short in JSON. */
export function roundSeconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
