import { test } from 'vitest'
import { createAudioShelf, type AudioShelf } from './audio-shelf.ts'
import { floats } from '../tensors.ts'

const DIMENSIONS = {
  mels: 80,
  audioPositions: 1500,
  textPositions: 448,
  state: 64,
  heads: 1,
  encoderLayers: 1,
  decoderLayers: 1,
  vocabulary: 24,
}

/** The memory that an audio of so many positions is written to. */
function memoryFor(shelf: AudioShelf, positions: number): ArrayBufferLike {
  return floats(shelf.room(0, positions)['cross_key_0']).buffer
}

test('memory is kept from one audio to the next, and given back when most of it is not needed', ({ expect }) => {
  const shelf = createAudioShelf(DIMENSIONS)
  shelf.clear(1, 0)
  const first = memoryFor(shelf, 100)

  expect(memoryFor(shelf, 60)).toBe(first)
  const shorter = memoryFor(shelf, 40)
  expect(shorter.byteLength).toBeLessThan(first.byteLength / 2)
  expect(memoryFor(shelf, 90).byteLength).toBeGreaterThan(shorter.byteLength)
})

test('the audio of a place that was given up cannot be written to', ({ expect }) => {
  const shelf = createAudioShelf(DIMENSIONS)
  shelf.clear(2, 10)
  shelf.show([1])

  expect(() => shelf.room(0, 10)).toThrow('The place 0 of the shelf was given up.')
})
