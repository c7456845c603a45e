import { test } from 'vitest'
import { keytermsIn } from './keyterms.ts'

test('keywords and keyterms are one list, without intensifiers, blanks and copies', ({ expect }) => {
  const query = { keywords: ['Dashwood:2', ' Norland  Park ', '', 'ratio 16:9:-1.5'], keyterm: 'Dashwood' }

  expect(keytermsIn(query)).toBe('Dashwood\nNorland Park\nratio 16:9')
})

test('no term is no parameter', ({ expect }) => {
  expect(keytermsIn({})).toBeUndefined()
  expect(keytermsIn({ keywords: ' ' })).toBeUndefined()
})

test.for([
  ['too many terms', Array.from({ length: 101 }, (_, index) => `term ${index}`)],
  ['a term that is too long', ['a'.repeat(101)]],
] as const)('refuses %s', ([, keywords], { expect }) => {
  expect(() => keytermsIn({ keywords })).toThrow(expect.objectContaining({ status: 422 }))
})
