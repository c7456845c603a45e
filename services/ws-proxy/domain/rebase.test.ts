import * as fc from 'fast-check'
import { test } from 'vitest'
import type { SpeechResult } from '../../wire/speech.ts'
import { rebase } from './rebase.ts'

const SECONDS = 4
const RESULT: SpeechResult = {
  type: 'Result',
  startSeconds: 0,
  durationSeconds: SECONDS,
  isFinal: true,
  speechFinal: true,
  fromFinalize: false,
  text: 'ask not what your',
  confidence: 1,
  words: ['ask', 'not', 'what', 'your'].map((word, at) => ({
    word,
    startSeconds: at,
    endSeconds: at + 1,
    confidence: 1,
  })),
}

test('of a result that begins before what is final the rest is left, and every word of it lies inside', ({
  expect,
}) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: SECONDS - 0.1, noNaN: true }), (committedSeconds) => {
      const rebased = rebase(RESULT, { offsetSeconds: 0, committedSeconds })
      const { startSeconds = Number.NaN, words = [] } = rebased?.type === 'Result' ? rebased : {}
      expect(startSeconds).toBeCloseTo(committedSeconds, 2)
      for (const word of words) expect(word.startSeconds).toBeGreaterThanOrEqual(startSeconds)
      // A word belongs to the side on which the middle of it lies.
      expect(words).toHaveLength(RESULT.words.filter((_, at) => at + 0.5 > committedSeconds).length)
    }),
  )
})
