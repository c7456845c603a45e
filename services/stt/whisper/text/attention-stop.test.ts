import { test } from 'vitest'
import { attendedPosition, createAttentionStop } from './attention-stop.ts'

const AUDIO = { heads: 2, positions: 140, audioPositions: 120 }

/** Both heads look at one place; the second one looks harder at the padding. */
function lookingAt(position: number): Float32Array {
  const attention = new Float32Array(AUDIO.heads * AUDIO.positions)
  for (const near of [-1, 0, 1]) attention[position + near] = 0.2
  attention[AUDIO.positions + position] = 0.1
  attention[AUDIO.positions + 130] = 0.9
  return attention
}

test('finds where the heads look together, within the audio', ({ expect }) => {
  expect(attendedPosition(lookingAt(60), AUDIO)).toBe(60)
})

test.for([
  { name: 'goes on through the audio', places: [10, 40, 35, 80, 109], over: [false, false, false, false, false] },
  { name: 'is over in the last 0.2 s', places: [90, 111], over: [false, true] },
  { name: 'is over when it goes back by more than a second', places: [80, 29], over: [false, true] },
])('a text $name', ({ places, over }, { expect }) => {
  const stop = createAttentionStop(AUDIO)
  expect(places.map((place) => stop.isOver(lookingAt(place)))).toEqual(over)
})
