import { test } from 'vitest'
import { createRightOfWay } from './pool/give-way.ts'
import type { Recognition } from './port.ts'
import { createTogether } from './recognise-together.ts'
import { recogniseWindow, type WindowRequest } from './recognise-window.ts'
import { loadExpectations, MODEL_DIR, readClip, type ExpectedClip } from './testing.ts'
import { loadWhisper } from './whisper-model.ts'

const FILE: WindowRequest = { priority: 'file', language: 'en', padding: 'coarse', timestamps: true }
const JFK = /^And so,? my fellow Americans/
const sumOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0)
const goOn = (): void => undefined

/** How many words of a clip's oracle are heard where they should be. */
function heardOf({ words }: Recognition, expected: ExpectedClip['words']): number {
  const plain = (word: string): string => word.toLowerCase().replaceAll(/[^a-z]/g, '')
  const found = expected.filter(([said, start]) =>
    words.some(({ word, startSeconds }) => plain(word) === plain(said) && Math.abs(startSeconds - start) < 0.15),
  )
  return found.length
}

test('windows that are written together say what was said, when it was said, and the same each time', async ({
  expect,
}) => {
  const model = await loadWhisper(MODEL_DIR, 1)
  const right = createRightOfWay()
  const recognise = createTogether(model, right)
  const { clips } = await loadExpectations()
  // Of several lengths, so that some are padded, and some end before the others.
  const names = Object.keys(clips).slice(0, 3)
  const windows = await Promise.all(names.map((name) => readClip(name)))

  const together = await recognise(windows, FILE, goOn)
  // Who speaks meanwhile is heard with the same model.
  const again = recognise(windows, FILE, goOn)
  const speaker = await readClip('jfk.wav')
  const spoken = await right.hold(() => recogniseWindow(model, speaker, { ...FILE, priority: 'final' }, goOn))

  const expected = names.map((name) => clips[name]?.words ?? [])
  const heard = together.map((recognition, index) => heardOf(recognition, expected[index] ?? []))
  expect(sumOf(heard)).toBeGreaterThan(0.9 * sumOf(expected.map(({ length }) => length)))
  expect(spoken.text).toMatch(JFK)
  const wordsOf = (recognitions: readonly Recognition[]) => recognitions.map(({ words }) => words)
  expect(wordsOf(await again)).toEqual(wordsOf(together))
})

test('one that is stopped stops all, and the next begin anew', async ({ expect }) => {
  const model = await loadWhisper(MODEL_DIR, 1)
  const recognise = createTogether(model, createRightOfWay())
  const samples = await readClip('jfk.wav')
  let steps = 0
  const stop = (): void => {
    steps += 1
    if (steps === 12) throw new Error('stopped')
  }

  await expect(recognise([samples, samples.subarray(0, 50_000)], FILE, stop)).rejects.toThrow('stopped')
  const [recognition] = await recognise([samples], FILE, goOn)
  expect(recognition?.text).toMatch(JFK)
})
