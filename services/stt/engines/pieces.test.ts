import * as fc from 'fast-check'
import { test } from 'vitest'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { MAX_PIECE_SECONDS, piecesOf } from './pieces.ts'

function seconds(spans: readonly (readonly [number, number])[]): { startSample: number; endSample: number }[] {
  return spans.map(([start, end]) => ({
    startSample: Math.round(start * SAMPLE_RATE_HZ),
    endSample: Math.round(end * SAMPLE_RATE_HZ),
  }))
}

function atTheEnd(_fromSample: number, toSample: number): number {
  return toSample
}

test.for<{ name: string; total: number; speech: [number, number][]; pieces: [number, number][] }>([
  { name: 'nothing of silence', total: 20, speech: [], pieces: [] },
  {
    name: 'a short recording whole',
    total: 11,
    speech: [
      [0.5, 3],
      [4, 10],
    ],
    pieces: [[0, 11]],
  },
  { name: 'a word in long silence, with some sound around it', total: 20, speech: [[9, 10]], pieces: [[8.7, 10.3]] },
  {
    name: 'no long silence inside',
    total: 20,
    speech: [
      [1, 5],
      [12, 19],
    ],
    pieces: [
      [0.7, 5.3],
      [11.7, 19.3],
    ],
  },
  {
    name: 'long speech in two at the longest pause of its middle',
    total: 20,
    speech: [
      [0, 4.5],
      [5, 9],
      [10, 15],
      [15.5, 20],
    ],
    pieces: [
      [0, 9.3],
      [9.7, 20],
    ],
  },
  {
    name: 'speech without a pause cut where it is told to',
    total: 42,
    speech: [[0, 42]],
    pieces: [
      [0, 15],
      [15, 30],
      [30, 42],
    ],
  },
])('recognises $name', ({ total, speech, pieces }, { expect }) => {
  expect(piecesOf(seconds(speech), total * SAMPLE_RATE_HZ, atTheEnd)).toEqual(seconds(pieces))
})

test('covers all speech with pieces that fit the window', ({ expect }) => {
  const lengths = fc.array(
    fc.record({ pause: fc.integer({ min: 1, max: 50 }), speech: fc.integer({ min: 1, max: 400 }) }),
  )
  fc.assert(
    fc.property(lengths, (stretches) => {
      let at = 0
      const speech = stretches.map(({ pause, speech: length }): [number, number] => {
        const start = at + pause / 10
        at = start + length / 10
        return [start, at]
      })
      const pieces = piecesOf(seconds(speech), Math.ceil(at * SAMPLE_RATE_HZ), atTheEnd)
      for (const { startSample, endSample } of pieces) {
        expect(endSample - startSample).toBeLessThanOrEqual(MAX_PIECE_SECONDS * SAMPLE_RATE_HZ)
      }
      for (const [start, end] of speech) {
        const middle = ((start + end) / 2) * SAMPLE_RATE_HZ
        expect(pieces.some(({ startSample, endSample }) => startSample <= middle && middle <= endSample)).toBe(true)
      }
    }),
  )
})
