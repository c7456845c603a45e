import { readFile } from 'node:fs/promises'
import type { Worker } from 'node:worker_threads'
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

async function testEars(onFinished: (cleanup: () => Promise<void>) => void): Promise<Ears> {
  const ears = await startEars({ vadModelFile: MODEL, clock: systemClock, log: silentLog })
  onFinished(() => ears.stop())
  return ears
}

async function probabilitiesOf(ear: Ear, pcm: Uint8Array, step: number): Promise<Float32Array> {
  const heard = []
  for (let offset = 0; offset < pcm.length; offset += step)
    heard.push(await ear.push(pcm.subarray(offset, offset + step)))
  heard.push(await ear.finish())
  return Float32Array.from(heard.flatMap(({ probabilities }) => Array.from(probabilities)))
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

test('keeps streams apart, however their audio comes in', async ({ expect, onTestFinished }) => {
  const ears = await testEars(onTestFinished)
  const { format, audio } = openWav(await readFile('fixtures/audio/jfk.wav'), 600)
  const silence: PcmFormat = { ...format, sampleRateHz: 8_000 }

  const [alone, ...others] = await Promise.all([
    probabilitiesOf(ears.open(format, 600), audio, audio.length),
    probabilitiesOf(ears.open(format, 600), audio, 4_001),
    probabilitiesOf(ears.open(silence, 600), new Uint8Array(8_000 * bytesPerFrame(silence)), 999),
  ])

  expect(others[0]).toEqual(alone)
  expect(Math.max(...(others[1] ?? [1]))).toBeLessThan(0.35)
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

test('does not start without its model', async ({ expect }) => {
  await expect(startEars({ vadModelFile: '/nowhere/model.onnx', clock: systemClock, log: silentLog })).rejects.toThrow(
    '/nowhere/model.onnx',
  )
})
