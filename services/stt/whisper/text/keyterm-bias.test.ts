import { test } from 'vitest'
import { createEncoder } from './byte-pairs.ts'
import { createKeytermBias } from './keyterm-bias.ts'

// Bytes first, then merges in their order, as in GPT-2's vocabulary.
const TEXTS = [' ', 'a', 'b', 'c', 'A', 'ab', ' a', 'abc', ' ab', ' A']
const encode = createEncoder(TEXTS)
const id = (text: string): number => TEXTS.indexOf(text)

test('merges the earliest pair first, never across words, and knows no other bytes', ({ expect }) => {
  expect(encode('abc')).toEqual([id('abc')])
  expect(encode(' abc')).toEqual([id(' '), id('abc')])
  expect(encode(' a')).toEqual([id(' a')])
  expect(encode('cab ab')).toEqual([id('c'), id('ab'), id(' ab')])
  expect(encode('aß')).toEqual([id('a')])
})

/** The tokens whose logits are raised after some text, and by how much. */
function raised(terms: readonly string[], chosen: readonly number[]): Map<string, number> {
  const logits = new Float32Array(TEXTS.length)
  createKeytermBias(terms, encode).apply(logits, chosen)
  return new Map(
    [...logits.entries()].filter(([, value]) => value > 0).map(([token, value]) => [TEXTS[token] ?? '', value]),
  )
}

test('a term may begin anywhere, in a sentence or at its beginning', ({ expect }) => {
  expect([...raised(['ac'], [id('b')]).keys()]).toEqual([' a', ' A'])
})

test('a term that has begun is urged on; one that went another way is not', ({ expect }) => {
  const begun = raised(['ac'], [id('b'), id(' a')])
  expect(begun.get('c')).toBeGreaterThan(begun.get(' a') ?? 0)

  expect([...raised(['ac'], [id(' a'), id('b')]).keys()]).not.toContain('c')
  expect([...raised(['ac'], [id(' a'), id('c')]).keys()]).not.toContain('c')
})
