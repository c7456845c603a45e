import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { importModel } from '../models/import-model.ts'
import { writeTinyWhisper } from '../models/testing.ts'
import { recogniseWindow, type WindowRequest } from './recognise-window.ts'
import { SAMPLE_RATE_HZ } from './spectrogram/log-mel.ts'
import type { Priority, Recognition } from './port.ts'
import { MODEL_DIR, readClip } from './testing.ts'
import { loadWhisper } from './whisper-model.ts'

const SAMPLES = Float32Array.from({ length: 3200 }, (_, index) => Math.sin(index / 7))
const SHORT: WindowRequest = { priority: 'final', language: undefined, padding: 'coarse', timestamps: false }

type Recognise = (request: WindowRequest) => Promise<Omit<Recognition, 'computeMs'>>

/** A model with random weights, which never ends its text: every result is doubtful. */
async function loadBabbler(onTestFinished: TestContext['onTestFinished']): Promise<Recognise> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-window-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeTinyWhisper(join(folder, 'source'))
  await importModel({ from: join(folder, 'source'), to: join(folder, 'model'), precision: 'fp32' })
  const model = await loadWhisper(join(folder, 'model'), 1)
  return async (request) => {
    const { computeMs: _, ...recognition } = await recogniseWindow(model, SAMPLES, request, () => undefined)
    return recognition
  }
}

test('a final with coarse padding that loops is done again with the full window', async ({
  expect,
  onTestFinished,
}) => {
  const recognise = await loadBabbler(onTestFinished)

  const full = await recognise({ ...SHORT, padding: 'full' })

  expect(await recognise(SHORT)).toEqual(full)
})

test('an interim that loops is not done again', async ({ expect, onTestFinished }) => {
  const recognise = await loadBabbler(onTestFinished)

  const full = await recognise({ ...SHORT, padding: 'full' })

  expect(await recognise({ ...SHORT, priority: 'interim' })).not.toEqual(full)
})

test('a text that repeats itself is tried at rising temperatures, the same ones each time', async ({
  expect,
  onTestFinished,
}) => {
  const recognise = await loadBabbler(onTestFinished)
  const full: WindowRequest = { ...SHORT, padding: 'full' }

  const plain = await recognise({ ...full, priority: 'interim' })
  const tried = await recognise(full)

  expect(plain.text).not.toBe('')
  expect(tried).not.toEqual(plain)
  expect(tried.isDoubtful).toBe(true)
  expect(await recognise(full)).toEqual(tried)
})

test('a text that is only unlikely is not tried at any temperature', async ({ expect }) => {
  const model = await loadWhisper(MODEL_DIR, 1)
  const partOfAWord = (await readClip('jfk.wav')).subarray(6.6 * SAMPLE_RATE_HZ, 7.1 * SAMPLE_RATE_HZ)
  let steps = 0
  const recognise = async (priority: Priority): Promise<{ isDoubtful?: boolean; steps: number }> => {
    steps = 0
    const request: WindowRequest = { ...SHORT, priority, padding: 'full', isOpen: false }
    const { isDoubtful } = await recogniseWindow(model, partOfAWord, request, () => (steps += 1))
    return { isDoubtful, steps }
  }

  const once = await recognise('interim')

  expect(once.isDoubtful).toBe(true)
  expect(await recognise('final')).toEqual(once)
})
