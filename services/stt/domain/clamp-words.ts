import type { SpokenWord } from '../../wire/speech.ts'

/** A stretch in which the voice detector hears speech. */
export interface SpeechTime {
  readonly startSeconds: number
  readonly endSeconds: number
}

// The detector works in frames of 32 ms and hears soft beginnings late.
const MARGIN_SECONDS = 0.05

/**
 * Words with the pauses around them cut off: the model lets a word begin where the one before it ends, however long the
 * pause between. A word in which the detector hears nothing stays as it is.
 */
export function clampWords(words: readonly SpokenWord[], speech: readonly SpeechTime[]): SpokenWord[] {
  return words.map((word) => {
    const own = speech.toSorted((a, b) => overlap(b, word) - overlap(a, word))[0]
    if (!own || overlap(own, word) <= 0) return word
    const { word: text, confidence } = word
    return {
      word: text,
      startSeconds: Math.max(word.startSeconds, own.startSeconds - MARGIN_SECONDS),
      endSeconds: Math.min(word.endSeconds, own.endSeconds + MARGIN_SECONDS),
      confidence,
    }
  })
}

function overlap(speech: SpeechTime, word: SpokenWord): number {
  return Math.min(speech.endSeconds, word.endSeconds) - Math.max(speech.startSeconds, word.startSeconds)
}
