import { test } from 'vitest'
import { silence, tone, wavOf } from '../testing.ts'
import { startScripted } from './testing-recogniser.ts'

test('speech that the model leaves out at the end of a piece is heard by itself', async ({ expect }) => {
  const { engine, heard } = startScripted(() => ({ language: 'en', confidence: 1 }))
  const recording = Buffer.concat([tone(1), silence(2), tone(1.2), silence(1)])

  const transcript = await engine.transcribe({ bytes: wavOf(recording) }, { language: undefined })

  expect(heard.map(({ seconds }) => seconds)).toEqual([expect.closeTo(5.2, 1), expect.closeTo(2.5, 1)])
  expect(transcript.text).toBe('word word')
  expect(transcript.words).toMatchObject([
    { startSeconds: expect.closeTo(0.4, 1) },
    { startSeconds: expect.closeTo(3.1, 1) },
  ])
})

test('what is left after the last word is not heard again when it is less than a word or two', async ({ expect }) => {
  const { engine, heard } = startScripted(() => ({ language: 'en', confidence: 1 }))
  const recording = Buffer.concat([tone(1), silence(2), tone(0.7), silence(1)])

  await engine.transcribe({ bytes: wavOf(recording) }, { language: undefined })

  expect(heard).toHaveLength(1)
})
