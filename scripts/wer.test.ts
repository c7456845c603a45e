import { test } from 'vitest'
import { rateOf, sumOf, wordErrors } from './wer.ts'

test.for([
  { name: 'equal', reference: 'ask not what', heard: 'Ask not: what?', errors: 0, words: 3 },
  {
    name: 'titles and hyphens',
    reference: 'Mr Smith, cold-hearted',
    heard: 'Mr. Smith cold hearted',
    errors: 0,
    words: 4,
  },
  { name: 'one substituted', reference: 'one two three', heard: 'one too three', errors: 1, words: 3 },
  { name: 'one missing', reference: 'one two three', heard: 'one three', errors: 1, words: 3 },
  { name: 'one too many', reference: 'one two three', heard: 'one two and three', errors: 1, words: 3 },
  { name: 'nothing heard', reference: 'one two', heard: '', errors: 2, words: 2 },
  { name: 'apostrophes', reference: 'don’t', heard: "don't", errors: 0, words: 1 },
])('counts word errors: $name', ({ reference, heard, errors, words }, { expect }) => {
  expect(wordErrors(reference, heard)).toEqual({ errors, words })
})

test('is a rate over all words, not a mean of rates', ({ expect }) => {
  const all = sumOf([
    { errors: 1, words: 1 },
    { errors: 0, words: 9 },
  ])
  expect(rateOf(all)).toBe(0.1)
})
