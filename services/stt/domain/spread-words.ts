import type { SpokenWord } from '../../wire/speech.ts'

/** The words of a text without times, spread evenly over a time. */
export function spreadWords(text: string, seconds: number, confidence: number): SpokenWord[] {
  const words = text.split(/\s+/).filter(Boolean)
  const each = seconds / words.length
  return words.map((word, index) => ({
    word,
    startSeconds: index * each,
    endSeconds: (index + 1) * each,
    confidence,
  }))
}
