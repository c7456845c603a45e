import { test } from 'vitest'
import { wavOf } from '../../../services/stt/testing.ts'
import { phrasesOf, samplesOf, secondsOf, stretchesOf } from './speech.ts'

/** Clips of two seconds, each of its own level. */
const clips = [1, 2, 3].map((level) => ({
  name: String(level),
  bytes: wavOf(new Uint8Array(new Int16Array(32_000).fill(1000 * level).buffer)),
  words: undefined,
}))

/** The levels heard, one after the other, with how long in seconds. */
function levels(speech: Buffer): [level: number, seconds: number][] {
  const heard: [number, number][] = []
  for (const sample of samplesOf(speech)) {
    const level = Math.round((sample * 2 ** 15) / 1000)
    const last = heard.at(-1)
    if (last?.[0] === level) last[1] += 1
    else heard.push([level, 1])
  }
  return heard.map(([level, samples]) => [level, samples / 16_000])
}

test('phrases are whole clips with pauses between, at least as long as was asked', ({ expect }) => {
  const speech = phrasesOf(clips)(0.4, 6)

  expect(levels(speech)).toEqual([
    [2, 2],
    [0, 0.8],
    [3, 2],
    [0, 1.1],
    [1, 2],
    [0, 0.5],
  ])
  expect(secondsOf(speech)).toBeCloseTo(8.4)
})

test('stretches begin and end anywhere and have no pauses', ({ expect }) => {
  expect(levels(stretchesOf(clips)(0.75, 5))).toEqual([
    [3, 1.5],
    [1, 2],
    [2, 1.5],
  ])
})
