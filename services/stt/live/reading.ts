import type { SpokenWord } from '../../wire/speech.ts'
import { plainWord } from '../domain/plain-word.ts'

/**
 * What interims have read of one utterance so far. Two readings that agree fix a word: the ones after them begin with
 * it. Without that a longer window turns old words to and fro between equally good readings ("you are", "you're"), so
 * that a word heard long ago stays only when it becomes final. Times count from the utterance's start.
 */
export interface Reading {
  /** Words that no interim changes any more. */
  readonly fixed: readonly SpokenWord[]
  /** The rest of the last reading, shown or not. */
  readonly rest: readonly SpokenWord[]
  /** How many words of `fixed` and `rest` were shown. */
  readonly shownCount: number
}

export interface Heard {
  /** What follows the fixed words. */
  readonly words: readonly SpokenWord[]
  readonly seconds: number
  /** Speech goes on at its end: the last word may be half a word. */
  readonly isOpen: boolean
}

export const NOTHING_READ: Reading = { fixed: [], rest: [], shownCount: 0 }

/** What is heard this close to the end of the audio may change with the next sound. */
const SETTLES_SECONDS = 0.15
/** A word that another one was as likely as waits for more of what follows it. */
export const UNSURE_SETTLES_SECONDS = 0.5
const UNSURE_CONFIDENCE = 0.5
/** Younger words may still get another meaning from the ones after them. */
const FIXED_AFTER_SECONDS = 1

/** The next reading of the same utterance. */
export function readOn(reading: Reading, { words, seconds, isOpen }: Heard): Reading {
  const { fixed, rest, shownCount } = reading
  const agreed = agreement(words, rest)
  const old = words.findIndex(({ endSeconds }) => endSeconds > seconds - FIXED_AFTER_SECONDS)
  const fixing = Math.min(agreed, old === -1 ? words.length : old)
  // The word before a pause seems to last until the next one: what was shown and is still heard stays.
  const kept = Math.min(agreed, shownCount - fixed.length)
  const open = words.findIndex((word, index) => index >= kept && seconds - word.endSeconds < settlesAfter(word))
  return {
    fixed: [...fixed, ...words.slice(0, fixing)],
    rest: words.slice(fixing),
    shownCount: fixed.length + (isOpen && open !== -1 ? open : words.length),
  }
}

/** A reading that comes from elsewhere, with more care than interims have: its old words are right. */
export function readFrom({ words, seconds, isOpen }: Heard): Reading {
  return readOn({ fixed: [], rest: words, shownCount: 0 }, { words, seconds, isOpen })
}

export function shownWords({ fixed, rest, shownCount }: Reading): readonly SpokenWord[] {
  return [...fixed, ...rest].slice(0, shownCount)
}

function settlesAfter({ confidence }: SpokenWord): number {
  return confidence < UNSURE_CONFIDENCE ? UNSURE_SETTLES_SECONDS : SETTLES_SECONDS
}

/** How many words both begin with, but for case and signs. */
function agreement(one: readonly SpokenWord[], other: readonly SpokenWord[]): number {
  const place = one.findIndex(({ word }, index) => plainWord(word) !== plainWord(other[index]?.word ?? ''))
  return place === -1 ? one.length : place
}
