import { test } from 'vitest'
import { clampWords } from './clamp-words.ts'

const SPEECH = [
  { startSeconds: 1, endSeconds: 2 },
  { startSeconds: 3, endSeconds: 4 },
]

test.for([
  { name: 'leaves a word inside speech alone', from: [1.2, 1.8], to: [1.2, 1.8] },
  { name: 'cuts off the silence at the start', from: [0, 1.5], to: [0.95, 1.5] },
  { name: 'cuts off the pause before a word', from: [2, 3.5], to: [2.95, 3.5] },
  { name: 'cuts off the pause after a word that touches the next phrase', from: [1.5, 3.1], to: [1.5, 2.05] },
  { name: 'gives a word that has both sides of a pause to the phrase after it', from: [1.7, 3.2], to: [2.95, 3.2] },
  { name: 'leaves a word alone that the detector did not hear', from: [2.2, 2.8], to: [2.2, 2.8] },
])('$name', ({ from, to }, { expect }) => {
  const [startSeconds = 0, endSeconds = 0] = from
  expect(clampWords([{ word: 'word', startSeconds, endSeconds, confidence: 1 }], SPEECH)).toEqual([
    { word: 'word', startSeconds: to[0], endSeconds: to[1], confidence: 1 },
  ])
})
