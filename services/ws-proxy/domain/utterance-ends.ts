import type { SpeechResult } from '../../wire/speech.ts'

/** Which ends of utterances were said, whoever said them. */
export interface UtteranceEnds {
  /** End of the last final word, as long as the end of its utterance has not been said. */
  readonly dueSeconds: number | undefined
  hear(final: SpeechResult): void
  /** Of an end that is about to be said; false when another server said it. */
  isNew(lastWordEndSeconds: number): boolean
  /** Another server goes on. */
  takeOver(): void
}

/** Two servers time the same word alike to about a tenth of a second. */
const SAME_WORD_SECONDS = 0.3

export function createUtteranceEnds(): UtteranceEnds {
  let dueSeconds: number | undefined
  let saidSeconds = Number.NEGATIVE_INFINITY
  let saidByOthersSeconds = Number.NEGATIVE_INFINITY
  return {
    get dueSeconds() {
      return dueSeconds
    },
    hear({ words }) {
      dueSeconds = words.at(-1)?.endSeconds ?? dueSeconds
    },
    isNew(lastWordEndSeconds) {
      if (lastWordEndSeconds < saidByOthersSeconds + SAME_WORD_SECONDS) return false
      saidSeconds = lastWordEndSeconds
      dueSeconds = undefined
      return true
    },
    takeOver() {
      saidByOthersSeconds = saidSeconds
    },
  }
}
