import * as fc from 'fast-check'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { importModel } from '../models/import-model.ts'
import type { ModelManifest } from '../models/manifest.ts'
import { writeTinyWhisper } from '../models/testing.ts'
import { likeliest } from './detect-language.ts'
import { promptFor } from './text/prompt.ts'
import { recogniseWindow } from './recognise-window.ts'
import type { Recognition } from './port.ts'
import { loadWhisper } from './whisper-model.ts'

// The ids of Whisper base.
const BASE: Pick<ModelManifest, 'multilingual' | 'languages' | 'tokens'> = {
  multilingual: true,
  languages: { en: 50_259, es: 50_262 },
  tokens: {
    endOfText: 50_257,
    startOfTranscript: 50_258,
    transcribe: 50_359,
    startOfPrevious: 50_361,
    noSpeech: 50_362,
    noTimestamps: 50_363,
    firstTimestamp: 50_364,
  },
}
const ENGLISH = { ...BASE, multilingual: false, languages: {} }

test.for([
  { model: BASE, language: 'es', timestamps: true, expected: [50_258, 50_262, 50_359] },
  { model: BASE, language: 'en', timestamps: false, expected: [50_258, 50_259, 50_359, 50_363] },
  { model: ENGLISH, language: 'en', timestamps: true, expected: [50_258] },
  { model: ENGLISH, language: 'en', timestamps: false, expected: [50_258, 50_363] },
])('a text in $language begins with $expected', ({ model, expected, ...options }, { expect }) => {
  expect(promptFor(model, options)).toEqual(expected)
})

test('the likeliest language has the share that its logit has among all languages', ({ expect }) => {
  const logits = new Map([
    [50_259, Math.log(3)],
    [50_262, Math.log(1)],
  ])
  expect(likeliest(BASE.languages, (token) => logits.get(token) ?? 0)).toEqual({
    language: 'en',
    confidence: expect.closeTo(0.75, 10),
  })

  const tag = fc.stringMatching(/^[a-z]{2}$/)
  const logit = fc.double({ min: -500, max: 500, noNaN: true })
  fc.assert(
    fc.property(fc.dictionary(tag, logit, { minKeys: 1 }), (logitByTag) => {
      const tags = Object.keys(logitByTag)
      const tokens = Object.fromEntries(tags.map((each, index) => [each, index]))
      const found = likeliest(tokens, (token) => logitByTag[tags[token] ?? ''] ?? 0)
      expect(logitByTag[found.language]).toBe(Math.max(...Object.values(logitByTag)))
      expect(found.confidence).toBeGreaterThanOrEqual(1 / tags.length - 1e-9)
      expect(found.confidence).toBeLessThanOrEqual(1)
    }),
  )
})

/** A model of two languages with random weights. */
async function loadBilingual(onTestFinished: TestContext['onTestFinished']) {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-languages-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeTinyWhisper(join(folder, 'source'), 'multilingual')
  await importModel({ from: join(folder, 'source'), to: join(folder, 'model'), precision: 'fp32' })
  const model = await loadWhisper(join(folder, 'model'), 1)
  const samples = Float32Array.from({ length: 3200 }, (_, index) => Math.sin(index / 7))
  return (language: string | undefined): Promise<Recognition> =>
    recogniseWindow(
      model,
      samples,
      { priority: 'interim', language, padding: 'full', timestamps: false },
      () => undefined,
    )
}

test('a window whose language is not given is recognised in the one that is detected', async ({
  expect,
  onTestFinished,
}) => {
  const recognise = await loadBilingual(onTestFinished)
  const [asked, english, german] = [await recognise(undefined), await recognise('en-GB'), await recognise('DE')]

  const { language = '', confidence = 0 } = asked.detectedLanguage ?? {}
  expect(['en', 'de']).toContain(language)
  expect(confidence).toBeGreaterThanOrEqual(0.5)
  const { averageLogProbability } = language === 'en' ? english : german
  expect(asked.averageLogProbability).toBe(averageLogProbability)
  expect(english.averageLogProbability).not.toBe(german.averageLogProbability)
  expect(english).not.toHaveProperty('detectedLanguage')
  await expect(recognise('fr')).rejects.toThrow('does not know the language "fr"')
})
