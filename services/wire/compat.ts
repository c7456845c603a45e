import { Type } from 'typebox'
import { ApiError } from './api-error.ts'
import { type Query, textIn } from './query.ts'
import type { SpokenWord } from './speech.ts'

/** Whose shapes the public API answers in: the documented ones of Aldea, or Deepgram's, which many clients expect. */
export type Compat = (typeof COMPATS)[number]

export const COMPATS = ['aldea', 'deepgram'] as const

export const CompatVariable = Type.Union([Type.Literal('aldea'), Type.Literal('deepgram')], { default: 'aldea' })

/** @returns undefined where there is no such */
export function parseCompat(text: string): Compat | undefined {
  return COMPATS.find((each) => each === text)
}

/** What the client asks for, else what the service is set to. @throws ApiError 422. */
export function compatOf(query: Query, otherwise: Compat): Compat {
  const wanted = textIn(query, 'compat')
  if (wanted === undefined) return otherwise
  const compat = parseCompat(wanted)
  if (compat) return compat
  throw new ApiError(422, `compat is "${wanted}"; it must be aldea or deepgram.`)
}

/** Deepgram's word: bare and lower case beside the one with punctuation, times in seconds. */
export interface DeepgramWord {
  readonly word: string
  readonly start: number
  readonly end: number
  readonly confidence: number
  readonly punctuated_word: string
}

export function toDeepgramWord({ word, startSeconds, endSeconds, confidence }: SpokenWord): DeepgramWord {
  const bare = word.toLowerCase().replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')
  return {
    word: bare || word,
    start: toSeconds(startSeconds),
    end: toSeconds(endSeconds),
    confidence: toConfidence(confidence),
    punctuated_word: word,
  }
}

/** Microseconds are all that the API shows; sums of binary fractions would show more. */
export function toSeconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}

export function toConfidence(confidence: number): number {
  return Math.round(confidence * 1e6) / 1e6
}

/** ISO 8601 in UTC with six fractional digits. */
export function toCreated(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z')
}
