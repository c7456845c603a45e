import { test } from 'vitest'
import { parseFileQuery } from './file-query.ts'

test('keywords and keyterms go on to the speech server', ({ expect }) => {
  const { speech } = parseFileQuery(
    { keywords: ['Norland:2', 'Dashwood'], keyterm: 'Dashwood', language: 'en' },
    'aldea',
  )

  expect(speech).toEqual({ language: 'en', keyterm: 'Norland\nDashwood' })
})
