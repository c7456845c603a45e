import type { SpokenWord } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { plainWord } from '../domain/plain-word.ts'
import type { HalfWord } from './context.ts'
import { NOTHING_SAID, saidBy, type Said, type Span } from './result.ts'

// Speech that a Finalize cuts in mid-word: the model goes on with it as people usually do, and hears in the rest of the word all of that once more.

/** After more silence than that a word was whole. */
export const MOST_SILENCE_AT_A_CUT_SAMPLES = 0.1 * SAMPLE_RATE_HZ
/** Less sound than that is no word yet. Words that the sound does not hold are placed at its end, one upon the other. */
const LEAST_HEARD_SECONDS = 0.06
/** Letters: twice as fast as anybody speaks. */
const MOST_LETTERS_PER_SECOND = 35

/** Of speech that is cut at its end: its words without those that are only what might come next. */
export function wordsBeforeCut(words: readonly SpokenWord[], endSeconds: number): readonly SpokenWord[] {
  const latestStart = endSeconds - LEAST_HEARD_SECONDS
  return words.slice(0, words.findLastIndex(({ startSeconds }) => startSeconds < latestStart) + 1)
}

/** Of speech that is cut at its end: the word that may be half a word. */
export function halfOf({ startSample }: Span, { words }: Said): HalfWord | undefined {
  const last = words.at(-1)
  if (!last) return undefined
  return {
    word: last.word,
    startSample: startSample + last.startSeconds * SAMPLE_RATE_HZ,
    before: saidBy(words.slice(0, -1)).text,
  }
}

/** After a cut there is less than this of a word that was begun. */
const MOST_OF_A_WORD_SECONDS = 0.4

/**
 * Words behind a cut, of speech that was heard again from the word on that was cut. That one was said, and is not said
 * twice.
 *
 * @param heard all that came, the word that was cut included
 * @param words of it what lies behind the cut
 */
export function withoutHalfWord(
  halfWord: string,
  heard: readonly SpokenWord[],
  words: readonly SpokenWord[],
): readonly SpokenWord[] {
  const plain = heard.filter(({ word }) => plainWord(word))
  const isAgain = words.length === plain.length && plainWord(plain[0]?.word ?? '') === plainWord(halfWord)
  return isAgain ? words.slice(1) : words
}

/** What these words say; undefined where that is no help, and what was spoken behind the cut has to be heard alone. */
export function restOfCut(words: readonly SpokenWord[], spokenSeconds: number): Said | undefined {
  if (words.length > 0 && !saysTooMuch(words, spokenSeconds)) return saidBy(words)
  return spokenSeconds < MOST_OF_A_WORD_SECONDS ? NOTHING_SAID : undefined
}

/** Of speech that is cut at its start: its words without what was said before the cut. */
export function wordsAfterCut(words: readonly SpokenWord[], known: string): readonly SpokenWord[] {
  const said = known.split(' ').map(plainWord)
  const plain = words.map(({ word }) => plainWord(word))
  for (let count = Math.min(said.length, plain.length); count > 0; count -= 1) {
    const isAgain = said.slice(-count).every((word, index) => word === plain[index])
    if (isAgain && isTooFast(words.slice(0, count))) return words.slice(count)
  }
  // As above, at the other end.
  const first = words.findIndex(({ startSeconds, endSeconds }) => endSeconds > startSeconds)
  return words.slice(Math.max(0, first))
}

/** Whether nobody can say that many words in the time: then they were not said. */
export function saysTooMuch(words: readonly SpokenWord[], seconds: number): boolean {
  const letters = words.reduce((sum, { word }) => sum + plainWord(word).length, 0)
  return letters > MOST_LETTERS_PER_SECOND * seconds
}

function isTooFast(words: readonly SpokenWord[]): boolean {
  return saysTooMuch(words, (words.at(-1)?.endSeconds ?? 0) - (words[0]?.startSeconds ?? 0))
}
