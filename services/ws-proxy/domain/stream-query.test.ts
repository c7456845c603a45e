import { test } from 'vitest'
import { parseStreamQuery } from './stream-query.ts'

test('keywords and keyterms go on to the speech server', ({ expect }) => {
  const query = { keywords: ['Norland:2', 'Dashwood'], keyterm: 'Dashwood' }
  const { speech } = parseStreamQuery(query, { compat: 'aldea', isPcm: false })

  expect(speech).toEqual({ keyterm: 'Norland\nDashwood' })
})
