import { test } from 'vitest'
import { parseStreamQuery } from './stream-query.ts'

test('keywords and keyterms go on to the speech server', ({ expect }) => {
  const query = { keywords: ['Norland:2', 'Dashwood'], keyterm: 'Dashwood' }
  const { speech } = parseStreamQuery(query, { compat: 'aldea', isPcm: false })

  expect(speech).toEqual({ keyterm: 'Norland\nDashwood' })
})

test.for([
  { query: { detect_language: 'true', language: 'es' }, language: 'auto' },
  { query: { lang: 'auto' }, language: 'auto' },
  { query: { detect_language: 'false', language: 'es' }, language: 'es' },
  { query: {}, language: undefined },
])('asked with $query the speech server hears $language', ({ query, language }, { expect }) => {
  expect(parseStreamQuery(query, { compat: 'aldea', isPcm: false }).speech.language).toBe(language)
})

test('how the transcript is to be written goes on to the speech server', ({ expect }) => {
  const { speech } = parseStreamQuery({ punctuate: 'TRUE', smart_format: '0' }, { compat: 'aldea', isPcm: false })
  expect(speech).toEqual({ punctuate: 'true', smart_format: 'false' })
})
