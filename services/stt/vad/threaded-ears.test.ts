import { readFile } from 'node:fs/promises'
import type { Worker } from 'node:worker_threads'
import * as fc from 'fast-check'
import { test } from 'vitest'
import { systemClock } from '../../wire/clock.ts'
import { silentLog } from '../../wire/log.ts'
import { openWav } from '../audio/file.ts'
import { bytesPerFrame } from '../audio/format.ts'
import type { PcmFormat } from '../audio/format.ts'
import { killThread } from '../testing.ts'
import type { Ear, Ears } from './ears.ts'
import { segmentsOf } from './segmenter.ts'
import { startEars } from './threaded-ears.ts'

const MODEL = 'fixtures/models/silero-vad/model.onnx'

// 5e-6 where it was recorded; other processors add up in another order.
const ROUNDING = 2e-5

async function testEars(onFinished: (cleanup: () => Promise<void>) => void): Promise<Ears> {
  const ears = await startEars({ vadModelFile: MODEL, clock: systemClock, log: silentLog })
  onFinished(() => ears.stop())
  return ears
}

/** @param steps sizes of the pieces, in bytes, over and over */
async function probabilitiesOf(ear: Ear, pcm: Uint8Array, ...steps: readonly number[]): Promise<Float32Array> {
  const heard = []
  for (let offset = 0, piece = 0; offset < pcm.length; piece += 1) {
    const end = offset + (steps[piece % steps.length] ?? pcm.length)
    heard.push(await ear.push(pcm.subarray(offset, end)))
    offset = end
  }
  heard.push(await ear.finish())
  return Float32Array.from(heard.flatMap(({ probabilities }) => Array.from(probabilities)))
}

async function recordedProbabilities(): Promise<Record<string, readonly number[]>> {
  return JSON.parse(await readFile('fixtures/models/silero-vad/probabilities.json', 'utf8')) as Record<string, number[]>
}

function largestDifference(found: Float32Array, expected: readonly number[]): number {
  return Math.max(...expected.map((probability, index) => Math.abs(probability - (found[index] ?? Infinity))))
}

test('hears the phrases of a speech and the pauses between them', async ({ expect, onTestFinished }) => {
  const ears = await testEars(onTestFinished)
  const { format, audio } = openWav(await readFile('fixtures/audio/jfk.wav'), 600)

  const probabilities = await probabilitiesOf(ears.open(format, 600), audio, 32_000)

  const edges = segmentsOf(probabilities, 4_800).flatMap(({ startSample, endSample }) => [startSample, endSample])
  const expected = [0.4, 2.2, 3.3, 4.4, 5.4, 7.6, 8.2, 10.6]
  // To a few frames.
  for (const [index, second] of expected.entries())
    expect(Math.abs((edges[index] ?? 0) / 16_000 - second)).toBeLessThan(0.15)
})

test('judges as the original does, which hears one frame at a time', async ({ expect, onTestFinished }) => {
  const ears = await testEars(onTestFinished)
  const recorded = await recordedProbabilities()

  for (const [name, expected] of Object.entries(recorded)) {
    const { format, audio } = openWav(await readFile(`fixtures/audio/${name}`), 600)
    const found = await probabilitiesOf(ears.open(format, 600), audio)
    expect(found).toHaveLength(expected.length)
    expect(largestDifference(found, expected), name).toBeLessThan(ROUNDING)
  }
  expect(Object.keys(recorded)).toContain('jfk.wav')
})

test('judges the same however streams are cut, and whoever is heard beside them', async ({
  expect,
  onTestFinished,
}) => {
  const ears = await testEars(onTestFinished)
  const { format, audio } = openWav(await readFile('fixtures/audio/jfk.wav'), 600)
  const expected = (await recordedProbabilities())['jfk.wav']?.slice(0, 93) ?? []
  const pcm = audio.subarray(0, expected.length * 512 * bytesPerFrame(format))
  const pieces = fc.array(fc.oneof(fc.nat(700), fc.nat(10_000), fc.nat(100_000)), { minLength: 1, maxLength: 6 })
  const cuts = pieces.filter((sizes) => sizes.some((size) => size > 300))

  await fc.assert(
    fc.asyncProperty(fc.array(cuts, { minLength: 1, maxLength: 4 }), async (streams) => {
      const found = await Promise.all(streams.map((sizes) => probabilitiesOf(ears.open(format, 600), pcm, ...sizes)))
      for (const probabilities of found) {
        expect(probabilities).toHaveLength(expected.length)
        expect(largestDifference(probabilities, expected)).toBeLessThan(ROUNDING)
      }
    }),
    { numRuns: 25 },
  )
})

test('keeps silence apart from the speech that is heard beside it', async ({ expect, onTestFinished }) => {
  const ears = await testEars(onTestFinished)
  const { format, audio } = openWav(await readFile('fixtures/audio/jfk.wav'), 600)
  const silence: PcmFormat = { ...format, sampleRateHz: 8_000 }

  const [, silent] = await Promise.all([
    probabilitiesOf(ears.open(format, 600), audio, 4_001),
    probabilitiesOf(ears.open(silence, 600), new Uint8Array(8_000 * bytesPerFrame(silence)), 999),
  ])

  expect(Math.max(...silent)).toBeLessThan(0.35)
})

test('fails the streams it was hearing when its thread dies, and hears the next', async ({
  expect,
  onTestFinished,
}) => {
  const threads: Worker[] = []
  const note = (worker: Worker): void => void threads.push(worker)
  process.on('worker', note)
  onTestFinished(() => void process.off('worker', note))
  const ears = await testEars(onTestFinished)
  const format: PcmFormat = { encoding: 's16', sampleRateHz: 16_000, channels: 1 }
  const before = ears.open(format, 600)
  await before.push(new Uint8Array(1_024))

  const inFlight = before.push(new Uint8Array(1 << 20))
  await Promise.all([expect(inFlight).rejects.toMatchObject({ status: 503 }), ...threads.map(killThread)])
  await expect(before.push(new Uint8Array(2))).rejects.toMatchObject({ status: 503 })

  expect((await ears.open(format, 600).push(new Uint8Array(1_024))).probabilities).toHaveLength(1)
})

test.for(['/nowhere/model.onnx', 'fixtures/models/whisper-tiny.en/encoder.onnx'])(
  'does not start with %s',
  async (file, { expect }) => {
    await expect(startEars({ vadModelFile: file, clock: systemClock, log: silentLog })).rejects.toThrow(file)
  },
)
