import * as fc from 'fast-check'
import { test } from 'vitest'
import { FRAME_SAMPLES } from './ears.ts'
import { SILENCE, nextVoice, segmentsOf } from './segmenter.ts'

/** Frames of silence that end speech here. */
const PAUSE = 3

function frames(segments: readonly { startSample: number; endSample: number }[]): number[][] {
  return segments.map(({ startSample, endSample }) => [startSample / FRAME_SAMPLES, endSample / FRAME_SAMPLES])
}

test.for([
  { name: 'silence', probabilities: [0, 0.1, 0.49, 0.3], segments: [] },
  { name: 'a click of one frame', probabilities: [0, 0.9, 0, 0], segments: [] },
  { name: 'speech from its first frame on', probabilities: [0, 0.5, 0.5, 0, 0, 0], segments: [[1, 3]] },
  {
    name: 'speech that fades above the lower threshold',
    probabilities: [0.9, 0.9, 0.36, 0.36, 0, 0, 0],
    segments: [[0, 4]],
  },
  { name: 'a dip shorter than a pause', probabilities: [0.9, 0.9, 0, 0, 0.4, 0, 0, 0], segments: [[0, 5]] },
  {
    name: 'a pause',
    probabilities: [0.9, 0.9, 0, 0, 0, 0.9, 0.9, 0, 0, 0],
    segments: [
      [0, 2],
      [5, 7],
    ],
  },
  {
    name: 'no return to speech by the lower threshold',
    probabilities: [0.9, 0.9, 0, 0, 0, 0.4, 0.4, 0.4],
    segments: [[0, 2]],
  },
  { name: 'speech up to the end', probabilities: [0, 0.9, 0.9, 0.9], segments: [[1, 4]] },
])('finds $name', ({ probabilities, segments }, { expect }) => {
  expect(frames(segmentsOf(Float32Array.from(probabilities), PAUSE * FRAME_SAMPLES))).toEqual(segments)
})

test('finds segments in order, apart, and inside the recording', ({ expect }) => {
  fc.assert(
    fc.property(fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { maxLength: 200 }), (probabilities) => {
      const found = frames(segmentsOf(Float32Array.from(probabilities), PAUSE * FRAME_SAMPLES)).flat()
      expect(found).toEqual(found.toSorted((a, b) => a - b))
      expect(found.every((frame) => frame >= 0 && frame <= probabilities.length)).toBe(true)
    }),
  )
})

test('ends speech exactly when the silence asked for has passed', ({ expect }) => {
  const probabilities = [0.9, 0.9, 0, 0, 0, 0]
  let state = SILENCE
  const speaking = probabilities.map((probability) => {
    state = nextVoice(state, probability, 2 * FRAME_SAMPLES)
    return state.isSpeaking
  })
  expect(speaking).toEqual([false, true, true, false, false, false])
})
