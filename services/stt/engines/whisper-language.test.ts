import { test } from 'vitest'
import type { SpeechMessage } from '../../wire/speech.ts'
import { LIVE_OPTIONS } from '../live/testing.ts'
import { silence, tone, wavOf } from '../testing.ts'
import type { DetectedLanguage } from '../whisper/port.ts'
import { startScripted } from './testing-recogniser.ts'

const SPANISH: DetectedLanguage = { language: 'es', confidence: 0.9 }

/** Two phrases far apart, the second one longer. */
const PHRASES = Buffer.concat([silence(1), tone(1), silence(5), tone(1.4), silence(1)])

test('a file is recognised in the language of its longest piece', async ({ expect }) => {
  const { engine, heard } = startScripted((seconds) => (seconds > 1.8 ? SPANISH : { language: 'de', confidence: 0.8 }))

  const transcript = await engine.transcribe({ bytes: wavOf(PHRASES) }, { language: 'auto' })

  expect(transcript).toMatchObject({ text: 'word word', language: 'es', languageConfidence: 0.9 })
  expect(heard).toEqual([
    { seconds: expect.closeTo(2, 1), language: undefined },
    { seconds: expect.closeTo(1.6, 1), language: 'es' },
  ])
})

test.for([
  { asked: undefined, languages: ['en', 'es'], expected: 'en' },
  { asked: 'es-419', languages: ['en', 'es'], expected: 'es' },
  { asked: 'ES', languages: ['en', 'es'], expected: 'es' },
  { asked: undefined, languages: ['es'], expected: 'es' },
  { asked: 'auto', languages: ['en'], expected: 'en' },
])('asked for $asked a model that knows $languages recognises $expected', async ({ asked, ...given }, { expect }) => {
  const { engine, heard } = startScripted(() => SPANISH, given.languages)

  const transcript = await engine.transcribe({ bytes: wavOf(tone(1)) }, { language: asked })

  expect(heard.map(({ language }) => language)).toEqual([given.expected])
  expect(transcript.language).toBe(given.expected)
  expect(transcript).not.toHaveProperty('languageConfidence')
})

test('a silent file is in English, as far as anybody can tell', async ({ expect }) => {
  const { engine } = startScripted(() => SPANISH)
  const transcript = await engine.transcribe({ bytes: wavOf(silence(2)) }, { language: 'auto' })
  expect(transcript).toMatchObject({ text: '', language: 'en' })
})

/** The languages that finals of a stream were recognised in, one phrase each. */
async function languagesOfFinals(detect: (seconds: number) => DetectedLanguage, phrases: readonly number[]) {
  const { engine, heard } = startScripted(detect, undefined, (seconds) => seconds)
  const messages: SpeechMessage[] = []
  const options = { ...LIVE_OPTIONS, encoding: 'linear16', language: 'auto', interimResults: false }
  const stream = engine.openStream(options, (message) => messages.push(message))
  for (const seconds of phrases) {
    await stream.write(tone(seconds))
    await stream.write(silence(2))
  }
  await stream.close()
  return heard.map(({ language }) => language)
}

test('a live stream stays with the language of its first final that is long and sure enough', async ({ expect }) => {
  const certain = await languagesOfFinals(() => SPANISH, [1, 3, 1])
  expect(certain).toEqual([undefined, undefined, 'es'])

  const doubtful = await languagesOfFinals(() => ({ language: 'es', confidence: 0.4 }), [3, 3])
  expect(doubtful).toEqual([undefined, undefined])
})
