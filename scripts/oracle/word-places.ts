import type { OracleWord } from './oracle.ts'

export interface TimedText {
  readonly text: string
  readonly startSeconds: number
  readonly endSeconds: number
}

const TOLERANCE_SECONDS = 0.1
/** Times have two decimals; their differences have rounding errors. */
const ROUNDING = 1e-6

/** How many of the words both texts have begin and end within 0.1 s of each other. */
export function countPlacedWords(
  expected: readonly OracleWord[],
  actual: readonly TimedText[],
): { readonly placedWords: number; readonly comparedWords: number } {
  const oracle = joinHyphens(expected)
  const isNear = (one: number, other: number): boolean => Math.abs(one - other) <= TOLERANCE_SECONDS + ROUNDING
  const placed = oracle.filter((word) =>
    actual.some(
      (other) =>
        other.text === word.text &&
        isNear(other.startSeconds, word.startSeconds) &&
        isNear(other.endSeconds, word.endSeconds),
    ),
  )
  return { placedWords: placed.length, comparedWords: oracle.length }
}

/** The oracle splits `ill-disposed` at its hyphen, as no reader would. */
function joinHyphens(words: readonly OracleWord[]): TimedText[] {
  const joined: TimedText[] = []
  for (const [text, startSeconds, endSeconds] of words) {
    const previous = joined.at(-1)
    if (previous && text.startsWith('-')) {
      joined[joined.length - 1] = { ...previous, text: previous.text + text, endSeconds }
    } else {
      joined.push({ text, startSeconds, endSeconds })
    }
  }
  return joined
}
