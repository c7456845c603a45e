import type { SpokenWord } from '../../wire/speech.ts'

/** A stretch in which the voice detector hears speech. */
export interface SpeechTime {
  readonly startSeconds: number
  readonly endSeconds: number
}

// The detector works in frames of 32 ms and hears soft beginnings late.
const MARGIN_SECONDS = 0.05
// A word that is in one speech less than this, of what it is in another, only touches it.
const LEAST_SHARE = 1 / 3

/**
 * Words with the pauses around them cut off: the model lets a word begin where the one before it ends, however long the
 * pause between. A word in which the detector hears nothing stays as it is.
 */
export function clampWords(words: readonly SpokenWord[], speech: readonly SpeechTime[]): SpokenWord[] {
  return words.map((word) => {
    const own = speechOf(word, speech)
    if (!own) return word
    const { word: text, confidence } = word
    return {
      word: text,
      startSeconds: Math.max(word.startSeconds, own.startSeconds - MARGIN_SECONDS),
      endSeconds: Math.min(word.endSeconds, own.endSeconds + MARGIN_SECONDS),
      confidence,
    }
  })
}

/**
 * The last speech that a word is in, more than by its edge: of the speech before a pause it only has what the word
 * before it left over.
 */
function speechOf(word: SpokenWord, speech: readonly SpeechTime[]): SpeechTime | undefined {
  const most = Math.max(...speech.map((each) => overlap(each, word)))
  if (most <= 0) return undefined
  return speech.findLast((each) => overlap(each, word) >= most * LEAST_SHARE)
}

function overlap(speech: SpeechTime, word: SpokenWord): number {
  return Math.min(speech.endSeconds, word.endSeconds) - Math.max(speech.startSeconds, word.startSeconds)
}
