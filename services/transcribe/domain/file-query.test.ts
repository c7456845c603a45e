import { test } from 'vitest'
import { parseFileQuery } from './file-query.ts'

test('keywords and keyterms go on to the speech server', ({ expect }) => {
  const { speech } = parseFileQuery(
    { keywords: ['Norland:2', 'Dashwood'], keyterm: 'Dashwood', language: 'en' },
    'aldea',
  )

  expect(speech).toEqual({ language: 'en', keyterm: 'Norland\nDashwood' })
})

test.for([
  { query: { detect_language: 'true' }, language: 'auto', detectLanguage: true },
  { query: { detect_language: '1', language: 'es' }, language: 'auto', detectLanguage: true },
  { query: { lang: 'Auto' }, language: 'auto', detectLanguage: true },
  { query: { detect_language: 'false', language: 'es' }, language: 'es', detectLanguage: false },
  { query: {}, language: undefined, detectLanguage: false },
])('asked with $query the speech server hears $language', ({ query, ...expected }, { expect }) => {
  const { speech, detectLanguage } = parseFileQuery(query, 'aldea')
  expect({ language: speech.language, detectLanguage }).toEqual(expected)
})

test('how the transcript is to be written goes on to the speech server', ({ expect }) => {
  const { speech } = parseFileQuery({ punctuate: 'TRUE', numerals: '0', diarize: 'true' }, 'aldea')
  expect(speech).toEqual({ punctuate: 'true', numerals: 'false' })
})
