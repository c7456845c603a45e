/** Word error rate: what has to be substituted, inserted and deleted, by the words that were said. */
export interface WordErrors {
  readonly errors: number
  /** Words of the reference. */
  readonly words: number
}

/** Case, punctuation and hyphens do not count as words or as differences; "Mr." is "mr". */
export function normalisedWords(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll(/[-–—]/g, ' ')
    .replaceAll(/[^\p{L}\p{N}'’\s]/gu, '')
    .replaceAll('’', "'")
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
}

export function wordErrors(reference: string, heard: string): WordErrors {
  const words = normalisedWords(reference)
  return { errors: editDistance(words, normalisedWords(heard)), words: words.length }
}

export function sumOf(each: readonly WordErrors[]): WordErrors {
  return {
    errors: each.reduce((sum, { errors }) => sum + errors, 0),
    words: each.reduce((sum, { words }) => sum + words, 0),
  }
}

/** 0.05 is five words of a hundred. */
export function rateOf({ errors, words }: WordErrors): number {
  if (words === 0) return errors === 0 ? 0 : 1
  return errors / words
}

/** Levenshtein's distance between word lists, one row of its table at a time. */
export function editDistance(from: readonly string[], to: readonly string[]): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [row, word] of from.entries()) {
    const current = [row + 1]
    for (const [column, other] of to.entries()) {
      const substituted = (previous[column] ?? 0) + (word === other ? 0 : 1)
      current.push(Math.min(substituted, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
