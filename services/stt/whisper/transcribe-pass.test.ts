import type { InferenceSession } from 'onnxruntime-node'
import { test } from 'vitest'
import { createDecoder } from './decoder/decoder.ts'
import { recogniseWindow, type WindowRequest } from './recognise-window.ts'
import { MODEL_DIR, readClip } from './testing.ts'
import { loadWhisper } from './whisper-model.ts'

const FILE: WindowRequest = { priority: 'file', language: 'en', padding: 'coarse', timestamps: true }

/** What is said in a clip, and how many tokens the decoder was fed in each pass. */
async function passesOver(clip: string, request: WindowRequest) {
  const model = await loadWhisper(MODEL_DIR, 1)
  const { decoder: session } = model.sessions
  const fed: number[] = []
  const run = (feeds: InferenceSession.FeedsType, fetches: InferenceSession.FetchesType) => {
    fed.push(feeds['tokens']?.dims[0] ?? 0)
    return session.run(feeds, fetches)
  }
  const decoder = createDecoder({ outputNames: session.outputNames, run }, model.manifest.dimensions)
  const { text } = await recogniseWindow({ ...model, decoder }, await readClip(clip), request, () => undefined)
  return { text, fed }
}

test('a file is written once more where it is unsure, most of it at once; an open interim is not', async ({
  expect,
}) => {
  const clip = 'librivox/sense_and_sensibility_01_austen_64kb-0880.wav'
  const file = await passesOver(clip, FILE)
  const interim = await passesOver(clip, { ...FILE, priority: 'interim', timestamps: false, isOpen: true })

  // Closing and opening a phrase are two, and so are the two tokens of a prompt without timestamps.
  expect(Math.max(...file.fed)).toBeGreaterThan(4)
  expect(Math.max(...interim.fed)).toBe(2)
})

test('what was shown spares most passes of a final with timestamps', async ({ expect }) => {
  const clip = 'librivox/sense_and_sensibility_01_austen_64kb-0920.wav'
  const alone = await passesOver(clip, FILE)
  const drafted = await passesOver(clip, { ...FILE, rival: alone.text })

  expect(drafted.text).toBe(alone.text)
  expect(drafted.fed.length).toBeLessThan(alone.fed.length / 2)
})
