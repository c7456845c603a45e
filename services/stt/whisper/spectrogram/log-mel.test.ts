import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import { createLogMel, HOP_SAMPLES, SAMPLE_RATE_HZ } from './log-mel.ts'
import { createMelFilters } from './mel-filters.ts'
import { loadExpectations, readClip } from '../testing.ts'

const FRAMES = 3000

test('agrees with the oracle on a recording padded to 30 s', async ({ expect }) => {
  const { log_mel: probe } = (await loadExpectations()).jfk_padded_to_30s

  const mel = createLogMel(80).compute(await readClip('jfk.wav'), FRAMES)

  for (const [band, frame, value] of probe.values) {
    expect(Math.abs((mel[band * FRAMES + frame] ?? Number.NaN) - value)).toBeLessThan(0.01)
  }
  expect(mel.reduce((sum, value) => sum + value, 0) / mel.length).toBeCloseTo(probe.mean, 3)
})

test('a second window owes nothing to the first', async ({ expect }) => {
  const samples = await readClip('jfk.wav')
  const logMel = createLogMel(80)

  const first = logMel.compute(samples, 1200)
  logMel.compute(samples.subarray(20_000), 500)

  expect(logMel.compute(samples, 1200)).toEqual(first)
})

test('an odd number of frames, no sample at all and one sample are fine', ({ expect }) => {
  const logMel = createLogMel(128)

  for (const samples of [new Float32Array(0), Float32Array.of(0.5), new Float32Array(5 * HOP_SAMPLES)]) {
    const mel = logMel.compute(samples, 7)
    expect(mel).toHaveLength(128 * 7)
    expect(mel.every(Number.isFinite)).toBe(true)
  }
})

test.for([80, 128])('%i filters cover the spectrum, each with a weight', async (count, { expect }) => {
  const filters = createMelFilters(count, 400, SAMPLE_RATE_HZ)

  expect(filters).toHaveLength(count)
  expect(filters.every(({ weights }) => weights.length > 0 && weights.every((weight) => weight > 0))).toBe(true)
})

test('the expectations name the clips that are there', async ({ expect }) => {
  const { clips } = await loadExpectations()
  const listed = JSON.parse(await readFile('fixtures/audio/clips.json', 'utf8')) as { readonly file: string }[]

  expect(Object.keys(clips)).toEqual(listed.map(({ file }) => file))
})
