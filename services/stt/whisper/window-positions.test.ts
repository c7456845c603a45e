import * as fc from 'fast-check'
import { test } from 'vitest'
import { windowPositions } from './window-positions.ts'

const LONGEST = 1500

test('coarse padding counts every position of the window once, sound by itself', ({ expect }) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 31, noNaN: true }), (seconds) => {
      const { frames, sources, places, counts } = windowPositions(seconds, 'coarse', LONGEST)
      const audio = Math.min(LONGEST, Math.ceil(seconds * 50))

      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(LONGEST)
      expect(places).toEqual(places.toSorted((one, other) => one - other))
      expect(Math.max(...places)).toBeLessThan(LONGEST)
      expect(Math.max(...sources)).toBeLessThan(frames / 2)
      expect(frames).toBeLessThanOrEqual(2 * LONGEST)
      const sound = places.slice(0, audio)
      expect(sources.slice(0, audio)).toEqual(sound)
      expect(sound).toEqual(sound.map((_, index) => index))
      expect(new Set(counts.slice(0, audio)).size).toBeLessThanOrEqual(1)
    }),
  )
})

test('coarse padding takes few positions', ({ expect }) => {
  expect(windowPositions(3, 'coarse', LONGEST).places.length).toBeLessThan(150 + 70)
  expect(windowPositions(15, 'coarse', LONGEST).places.length).toBeLessThan(750 + 60)
})

test('full padding takes them all', ({ expect }) => {
  const full = windowPositions(3, 'full', LONGEST)

  expect(full.frames).toBe(2 * LONGEST)
  expect(full.places).toHaveLength(LONGEST)
  expect(new Set(full.counts)).toEqual(new Set([1]))
})

test('the silence that padding repeats is no sound: two positions behind it, before the edge of the spectrogram', ({
  expect,
}) => {
  const { frames, sources } = windowPositions(3, 'coarse', LONGEST)

  expect(Math.max(...sources)).toBe(152)
  expect(frames / 2).toBe(154)
})
