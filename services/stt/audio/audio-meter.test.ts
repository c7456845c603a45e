import { readFile } from 'node:fs/promises'
import { test } from 'vitest'
import { createAudioMeter } from './audio-meter.ts'

/** Of every file in fixtures/audio/formats. */
const SECONDS = 2.4

test.for([
  'formats/fellow.mp3',
  'formats/fellow.aac',
  'formats/fellow.flac',
  'formats/fellow.opus.ogg',
  'formats/fellow.opus.webm',
  'formats/fellow.fragmented.m4a',
])('the pieces of %s bring as much audio as it has, each its share', async (file, { expect, onTestFinished }) => {
  const meter = createAudioMeter()
  onTestFinished(() => meter.close())
  const bytes = await readFile(`fixtures/audio/${file}`)
  const seconds: number[] = []

  for (let at = 0; at < bytes.length; at += 1024) seconds.push(await meter.secondsOf(bytes.subarray(at, at + 1024)))

  // Decoders hold back what the next frame is added to, and recorders fill the last one up.
  expect(seconds.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(SECONDS - 0.2)
  expect(seconds.reduce((sum, each) => sum + each, 0)).toBeLessThan(SECONDS + 0.2)
  expect(Math.max(...seconds)).toBeLessThan(SECONDS / 2)
})

test('a WAV stream is measured by its header', async ({ expect }) => {
  const meter = createAudioMeter()

  expect(await meter.secondsOf(await readFile('fixtures/audio/jfk.wav'))).toBeCloseTo(11)
})
