import { AUTO, primaryTag } from '../domain/language.ts'
import type { Recognition } from '../whisper/port.ts'

/** The language to recognise in, for what was asked; undefined: it has to be detected. */
export function languageToUse(asked: string | undefined, known: readonly string[]): string | undefined {
  if (known.length === 1) return known[0]
  if (asked === AUTO) return undefined
  // The public API's default (aldea-api §3.3).
  return asked === undefined ? known.find((language) => language === 'en') : primaryTag(asked)
}

/** A shorter window, or a less certain one, may be of any language. */
const DECISIVE_SECONDS = 2
const DECISIVE_CONFIDENCE = 0.5

/** The language of a live stream. */
export interface StreamLanguage {
  /** Undefined: each window is detected by itself. */
  readonly current: string | undefined
  /** A final result: where it is certain of its language, the stream stays with that. */
  hear(recognition: Recognition, windowSeconds: number): void
}

export function createStreamLanguage(language: string | undefined): StreamLanguage {
  let current = language
  return {
    get current() {
      return current
    },
    hear({ detectedLanguage: detected, text }, windowSeconds) {
      if (!detected || !text || windowSeconds < DECISIVE_SECONDS) return
      if (detected.confidence >= DECISIVE_CONFIDENCE) current ??= detected.language
    },
  }
}
