import type { SpokenWord } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { plainWord } from '../domain/plain-word.ts'
import type { Known, Recognition } from '../whisper/port.ts'
import { saidBy } from './result.ts'
import type { Said, Span } from './result.ts'

/** A stretch of speech that became final, or is about to. Positions in samples of the stream. */
export interface Spoken extends Span {
  /** Where the voice itself starts and ends, inside the span. */
  readonly voiceStartSample: number
  readonly voiceEndSample: number
}

/** Earlier speech that is heard again together with the current one. */
export interface Context {
  readonly startSample: number
  /** Between the earlier speech and the current one. */
  readonly boundarySample: number
}

/** Speech that became final, and what it said. */
export interface Past extends Spoken {
  /** Empty where nobody spoke, or was not understood. */
  readonly text: string
  /** Nothing is to be built on it. */
  readonly isUnclear: boolean
  /** In mid-speech, by a Finalize. */
  readonly isCut: boolean
  readonly half?: HalfWord | undefined
}

/** The last word of speech that was cut. It is heard once more with what follows. */
export interface HalfWord {
  readonly word: string
  readonly startSample: number
  /** What was said before it. */
  readonly before: string
}

/** Speech to hear once more together with what follows it, and its words. */
export interface Before {
  readonly startSample: number
  /** Between it and what follows, from its start. */
  readonly boundarySeconds: number
  /** Absent where it says no more than `halfWord`. */
  readonly known?: Known
  /** It was cut: this word, or the half of one, comes after `known`. */
  readonly halfWord?: string
}

/** The phrases of a context that follow its last unclear one, with their words; undefined where they have none. */
export function beforeBy({ startSample, boundarySample }: Context, pasts: readonly Past[]): Before | undefined {
  const within = pasts.filter((past) => past.startSample >= startSample)
  const clear = within.slice(within.findLastIndex(({ isUnclear }) => isUnclear) + 1)
  const [first] = clear
  if (!first) return undefined
  const seconds = (sample: number): number => (sample - first.startSample) / SAMPLE_RATE_HZ
  const half = clear.at(-1)?.half
  const texts = clear.map((past) => (past.half && past.half === half ? half.before : past.text))
  const text = texts.filter(Boolean).join(' ')
  if (!text && !half) return undefined
  return {
    startSample: first.startSample,
    boundarySeconds: seconds(boundarySample),
    ...(text && { known: { text, endSeconds: seconds(half?.startSample ?? boundarySample) } }),
    ...(half && { halfWord: half.word }),
  }
}

/** How far back a context reaches at most, the current speech included. */
export const MAX_CONTEXT_SAMPLES = 8 * SAMPLE_RATE_HZ

// Across a longer pause the earlier speech does not help, and words wander over the pause.
const MAX_GAP_SAMPLES = SAMPLE_RATE_HZ

/**
 * The speech right before `current`, as far back as it helps: a phrase heard alone loses twice as many words as one
 * heard after the phrases before it (21 against 11 of 666 words).
 */
export function contextOf(current: Spoken, earlier: readonly Spoken[]): Context | undefined {
  const nearest = earlier.at(-1)
  let startSample = current.startSample
  let next = current
  for (const spoken of earlier.toReversed()) {
    if (next.voiceStartSample - spoken.voiceEndSample > MAX_GAP_SAMPLES) break
    if (current.endSample - spoken.startSample > MAX_CONTEXT_SAMPLES) break
    startSample = spoken.startSample
    next = spoken
  }
  if (!nearest || next === current) return undefined
  return { startSample, boundarySample: (nearest.voiceEndSample + current.voiceStartSample) / 2 }
}

// A context that swallowed the start of what was said: its first word would come later than this.
const MAX_UNCOVERED_SECONDS = 1.2
// Times of words are rounded to that: one without length at the boundary may lie before it.
const POSITION_SECONDS = 0.02

/** Words after a time of a window, and counted from another. Signs by themselves belong to the words before. */
export function wordsAfter(words: readonly SpokenWord[], seconds: number, originSeconds: number): SpokenWord[] {
  return (
    words
      // By the middle of a word: its edges reach into the pauses around it.
      .filter(({ word, startSeconds, endSeconds }) => plainWord(word) && (startSeconds + endSeconds) / 2 > seconds)
      .map(({ word, startSeconds, endSeconds, confidence }) => ({
        word,
        startSeconds: Math.max(0, startSeconds - originSeconds),
        endSeconds: Math.max(0, endSeconds - originSeconds),
        confidence,
      }))
  )
}

/**
 * What `current` says in a recognition that started with its context. Undefined when nothing is left of it or its start
 * is missing: then it has to be heard alone.
 */
export function saidAfter(
  { startSample, boundarySeconds }: Before,
  current: Spoken,
  recognition: Recognition,
): Said | undefined {
  const after = boundarySeconds - POSITION_SECONDS
  const words = wordsAfter(recognition.words, after, (current.startSample - startSample) / SAMPLE_RATE_HZ)
  const [first] = words
  const voiceStartSeconds = (current.voiceStartSample - current.startSample) / SAMPLE_RATE_HZ
  if (!first || first.endSeconds - voiceStartSeconds > MAX_UNCOVERED_SECONDS) return undefined
  return saidBy(words)
}
