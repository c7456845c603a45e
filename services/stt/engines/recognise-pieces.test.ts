import { test } from 'vitest'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { silence, tone, wavOf } from '../testing.ts'
import { recognisePieces } from './recognise-pieces.ts'
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

test('the longest pieces are heard first, and every piece is in its place of the text', async ({ expect }) => {
  const lengths = [2, 5, 1, 4]
  const pieces = lengths.map((seconds, place) => ({
    startSample: place * 10 * SAMPLE_RATE_HZ,
    endSample: (place * 10 + seconds) * SAMPLE_RATE_HZ,
  }))
  const heard: number[] = []

  const { said } = await recognisePieces(pieces, {
    language: 'en',
    segments: pieces,
    parallel: 1,
    recognise: async (together) =>
      together.map(({ startSample, endSample }) => {
        const seconds = (endSample - startSample) / SAMPLE_RATE_HZ
        heard.push(seconds)
        const word = { word: `${seconds}`, startSeconds: 0, endSeconds: seconds, confidence: 1 }
        return { ...RECOGNITION, text: `${seconds}`, words: [word] }
      }),
  })

  expect(heard).toEqual([5, 4, 2, 1])
  expect(said.map(({ text }) => text)).toEqual(['2', '5', '1', '4'])
})

const RECOGNITION = {
  confidence: 1,
  averageLogProbability: 0,
  noSpeechProbability: 0,
  compressionRatio: 1,
  computeMs: 0,
}
