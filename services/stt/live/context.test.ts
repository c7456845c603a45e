import { test } from 'vitest'
import { beforeBy, contextOf, saidAfter } from './context.ts'
import type { Past, Spoken } from './context.ts'

/** Speech from one second to another, with 0.3 s around it. */
function spoken(from: number, to: number): Spoken {
  const at = (second: number): number => Math.round(second * 16_000)
  return {
    startSample: at(from - 0.3),
    endSample: at(to + 0.3),
    voiceStartSample: at(from),
    voiceEndSample: at(to),
  }
}

test.for<{ name: string; earlier: Spoken[]; expected: object | undefined }>([
  { name: 'nothing at the start of a stream', earlier: [], expected: undefined },
  {
    name: 'the phrase before',
    earlier: [spoken(7, 9)],
    expected: { startSample: 6.7 * 16_000, boundarySample: 9.5 * 16_000 },
  },
  {
    name: 'all phrases in reach',
    earlier: [spoken(5, 6), spoken(7, 9)],
    expected: { startSample: 4.7 * 16_000, boundarySample: 9.5 * 16_000 },
  },
  { name: 'nothing before a pause of more than a second', earlier: [spoken(6, 8.9)], expected: undefined },
  { name: 'nothing that is too far back', earlier: [spoken(3.9, 9)], expected: undefined },
])('hears with a phrase from 10 s on: $name', ({ earlier, expected }, { expect }) => {
  expect(contextOf(spoken(10, 12), earlier)).toEqual(expected)
})

function recognition(...words: [string, number, number][]) {
  return {
    text: words.map(([word]) => word).join(' '),
    words: words.map(([word, startSeconds, endSeconds]) => ({ word, startSeconds, endSeconds, confidence: 0.5 })),
    confidence: 0.5,
    averageLogProbability: 0,
    noSpeechProbability: 0,
    compressionRatio: 1,
    computeMs: 1,
  }
}

const BEFORE = { startSample: 0, boundarySeconds: 2.5 }

test('takes the words after the boundary, timed from the start of the current speech', ({ expect }) => {
  // Word times reach into the pause around 2.5 s from both sides.
  const heard = recognition(['ask', 0.5, 1.2], ['not', 1.2, 2.8], ['what', 2.3, 3.3], ['your', 3.3, 3.6])
  expect(saidAfter(BEFORE, spoken(2.8, 4), heard)).toEqual({
    text: 'what your',
    confidence: 0.5,
    words: [
      { word: 'what', startSeconds: 0, endSeconds: expect.closeTo(0.8), confidence: 0.5 },
      { word: 'your', startSeconds: expect.closeTo(0.8), endSeconds: expect.closeTo(1.1), confidence: 0.5 },
    ],
  })
})

test('gives up a recognition that says nothing after the boundary, or starts too late', ({ expect }) => {
  expect(saidAfter(BEFORE, spoken(2.8, 6), recognition(['ask', 0.5, 1.2]))).toBeUndefined()
  expect(saidAfter(BEFORE, spoken(2.8, 6), recognition(['late', 4.5, 5]))).toBeUndefined()
})

test('keeps a word without length that was rounded to before the boundary', ({ expect }) => {
  const boundary = { startSample: 0, boundarySeconds: 2.507 }
  expect(saidAfter(boundary, spoken(2.8, 4), recognition(['It', 2.5, 2.5], ['was', 2.5, 3]))?.text).toBe('It was')
})

function past(from: number, to: number, said: Partial<Past>): Past {
  return { ...spoken(from, to), text: '', isUnclear: false, isCut: false, ...said }
}

const CONTEXT = { startSample: 0, boundarySample: 4 * 16_000 }
const HALF = { word: 'super', startSample: 3.5 * 16_000, before: 'in the' }

test.for<{ name: string; pasts: Past[]; expected: object | undefined }>([
  {
    name: 'all phrases, of which one says nothing',
    pasts: [past(0.3, 1, { text: 'One.' }), past(1.5, 1.7, {}), past(2, 3, { text: 'Two.' })],
    expected: { startSample: 0, boundarySeconds: 4, known: { text: 'One. Two.', endSeconds: 4 } },
  },
  {
    name: 'those after one that was not understood',
    pasts: [past(0.3, 1, { text: 'One.', isUnclear: true }), past(2.3, 3, { text: 'Two.' })],
    expected: { startSample: 2 * 16_000, boundarySeconds: 2, known: { text: 'Two.', endSeconds: 2 } },
  },
  {
    name: 'nothing of one that was not understood',
    pasts: [past(0.3, 1, { text: 'One.' }), past(2, 3, { isUnclear: true })],
    expected: undefined,
  },
  {
    name: 'of one that was cut all but its last word',
    pasts: [past(0.3, 1, { text: 'One.' }), past(2, 4, { text: 'in the super', isCut: true, half: HALF })],
    expected: {
      startSample: 0,
      boundarySeconds: 4,
      known: { text: 'One. in the', endSeconds: 3.5 },
      halfWord: 'super',
    },
  },
  {
    name: 'no words where one was cut at its only one',
    pasts: [past(0.3, 4, { text: 'super', isCut: true, half: { ...HALF, before: '' } })],
    expected: { startSample: 0, boundarySeconds: 4, halfWord: 'super' },
  },
])('knows of a context: $name', ({ pasts, expected }, { expect }) => {
  expect(beforeBy(CONTEXT, pasts)).toEqual(expected)
})
