import { test } from 'vitest'
import type { SpeechResult } from '../../services/wire/speech.ts'
import { steadinessOf } from './steadiness.ts'
import type { TimedResult } from './lockstep.ts'

/** A word ends each half second of the audio. */
function shown(atSeconds: number, text: string, isFinal = false): TimedResult {
  const words = text.split(' ').map((word, place) => ({
    word,
    startSeconds: place / 2,
    endSeconds: (place + 1) / 2,
    confidence: 1,
  }))
  const flags = { isFinal, speechFinal: isFinal, fromFinalize: false }
  const result: SpeechResult = {
    type: 'Result',
    startSeconds: 0,
    durationSeconds: atSeconds,
    ...flags,
    text,
    confidence: 1,
    words,
  }
  return { atSeconds, result }
}

test('a word counts from when it is first shown to stay', ({ expect }) => {
  const told = [shown(1, 'ask'), shown(2, 'asked not'), shown(3, 'ask not what', true)]

  expect(steadinessOf(told)).toEqual({ lagsSeconds: [2.5, 1, 1.5], flickered: 2, words: 3 })
})

test('words behind one that was changed stay, also where that one became several', ({ expect }) => {
  const told = [
    shown(4, 'made amiable himself and so am I'),
    shown(6, 'made a me of all himself and so my fellow', true),
  ]

  const { lagsSeconds, flickered } = steadinessOf(told)

  // "himself and so", the words that end at 3, 3.5 and 4 s, were there after 4 s.
  expect(lagsSeconds.slice(5, 8)).toEqual([1, 0.5, 0])
  expect(flickered).toBe(3)
})
