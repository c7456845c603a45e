import { test } from 'vitest'
import type { Recognition, WindowOptions } from '../whisper/port.ts'
import { withSecondLook } from './second-look.ts'

type Padding = WindowOptions['padding']

test('what is sure is heard once, with coarse padding', async ({ expect }) => {
  const asked: Padding[] = []
  const said = await withSecondLook(async (padding) => {
    asked.push(padding)
    return heard('young', [0.9, 0.2], -0.4)
  })

  expect(said.text).toBe('young')
  expect(asked).toEqual(['coarse'])
})

test('with an unsure word the full window is asked too, and the likelier text counts', async ({ expect }) => {
  const answer =
    (first: Recognition, second: Recognition) =>
    async (padding: Padding): Promise<Recognition> =>
      padding === 'full' ? second : first

  const old = heard('old-sposed', [0.9, 0.1], -0.4)
  const ill = heard('ill-disposed', [0.9, 0.1], -0.3)
  expect((await withSecondLook(answer(old, ill))).text).toBe('ill-disposed')
  expect((await withSecondLook(answer(ill, old))).text).toBe('ill-disposed')
})

function heard(text: string, confidences: readonly number[], averageLogProbability: number): Recognition {
  return {
    text,
    words: confidences.map((confidence) => ({ word: text, startSeconds: 0, endSeconds: 1, confidence })),
    confidence: 1,
    averageLogProbability,
    noSpeechProbability: 0,
    compressionRatio: 1,
    computeMs: 1,
  }
}
