import { test } from 'vitest'
import type { Recognition, WindowOptions } from '../whisper/port.ts'
import { withSecondLook } from './second-look.ts'

type Slack = WindowOptions['slackPositions']

test('what is sure is heard once, in a short window', async ({ expect }) => {
  const asked: Slack[] = []
  const said = await withSecondLook(10, async (slack) => {
    asked.push(slack)
    return heard('young', [0.9, 0.2], -0.4)
  })

  expect(said.text).toBe('young')
  expect(asked).toEqual([384])
})

test('with an unsure word the full window is asked too, and the likelier text counts', async ({ expect }) => {
  const answer =
    (first: Recognition, second: Recognition) =>
    async (slack: Slack): Promise<Recognition> =>
      slack === 'full' ? second : first

  const old = heard('old-sposed', [0.9, 0.1], -0.4)
  const ill = heard('ill-disposed', [0.9, 0.1], -0.3)
  expect((await withSecondLook(10, answer(old, ill))).text).toBe('ill-disposed')
  expect((await withSecondLook(10, answer(ill, old))).text).toBe('ill-disposed')
})

test('a short phrase is heard in the full window at once', async ({ expect }) => {
  const asked: Slack[] = []
  await withSecondLook(5.9, async (slack) => {
    asked.push(slack)
    return heard('young', [0.1], -0.4)
  })

  expect(asked).toEqual(['full'])
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
