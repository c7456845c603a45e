import { test } from 'vitest'
import { toAnswer } from './answer.ts'

const TRANSCRIPT = {
  audioSeconds: 1,
  channels: 1,
  text: 'hola',
  confidence: 0.9,
  words: [],
  language: 'es',
  model: { name: 'base', version: '1' },
} as const
const OPTIONS = { requestId: 'id', createdAt: 0, compat: 'aldea', timestamps: false, detectLanguage: true } as const

test('a detected language comes with how sure the model is, where that was measured', ({ expect }) => {
  const channelOf = (answer: object): unknown => ('results' in answer ? answer.results : undefined)

  expect(channelOf(toAnswer({ ...TRANSCRIPT, languageConfidence: 0.123_456_78 }, OPTIONS))).toMatchObject({
    channels: [{ detected_language: 'es', language_confidence: 0.123_457 }],
  })
  expect(JSON.stringify(toAnswer(TRANSCRIPT, OPTIONS))).not.toContain('language_confidence')
  expect(JSON.stringify(toAnswer(TRANSCRIPT, { ...OPTIONS, detectLanguage: false }))).not.toContain('language')
})
