import type { SpokenWord } from '../../wire/speech.ts'

/** Long speech is divided so that no window outgrows the model and its words become final in time. */
export const CUT_AFTER_SECONDS = 10
export const CUT_RETRY_SECONDS = 2
/** From here on any gap will do. */
export const CUT_AT_ANY_GAP_SECONDS = 16

// A cut needs context on both sides: words at the window's edge are the ones that still change.
const LEAST_BEFORE_SECONDS = 3
const LEAST_AFTER_SECONDS = 2
// Whisper's word gaps alone are unreliable (5.0 % word errors against 0.9–1.4 % with this): the voice has to dip too.
const DIP_PROBABILITY = 0.5

export interface Gap {
  /** How many words stand before the cut. */
  readonly wordCount: number
  /** The middle of the gap, in seconds from the window's start. */
  readonly atSeconds: number
}

interface LongSpeech {
  readonly words: readonly SpokenWord[]
  readonly windowSeconds: number
  /** The lowest probability of speech between two times of the window. */
  readonly lowest: (fromSeconds: number, toSeconds: number) => number
}

/** The best place to divide a window of long speech: the widest word gap with a dip of the voice, if there is one. */
export function chooseCut({ words, windowSeconds, lowest }: LongSpeech): Gap | undefined {
  const isForced = windowSeconds >= CUT_AT_ANY_GAP_SECONDS
  const gaps = words
    .map((word, index) => {
      const nextStart = words[index + 1]?.startSeconds ?? windowSeconds
      return { wordCount: index + 1, from: word.endSeconds, to: nextStart, at: (word.endSeconds + nextStart) / 2 }
    })
    .filter(({ at }) => at >= LEAST_BEFORE_SECONDS && at <= windowSeconds - LEAST_AFTER_SECONDS)
    // Times of words are right to about a frame or two: look that far around a gap.
    .filter(({ from, to }) => isForced || lowest(from - 0.05, to + 0.05) < DIP_PROBABILITY)

  const [best] = gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from))
  return best && { wordCount: best.wordCount, atSeconds: best.at }
}
