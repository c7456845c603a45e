import { test } from 'vitest'
import type { Tokenizer } from '../text/tokenizer.ts'
import { groupWords } from './word-groups.ts'

/** A tokenizer whose tokens are the given texts, in UTF-8, or bytes. */
function tokenizerOf(pieces: readonly (string | readonly number[])[]): Pick<Tokenizer, 'decode'> {
  const bytes = (token: number): Buffer => Buffer.from((pieces[token] ?? '') as string)
  return { decode: (tokens) => Buffer.concat(tokens.map(bytes)).toString('utf8') }
}

test.for([
  { what: 'spaces part words', pieces: [' Hel', 'lo', ' there'], words: ['Hello', 'there'] },
  {
    what: 'punctuation joins the word before it',
    pieces: [' for', ' you', ',', ' ask', '.', '"'],
    words: ['for', 'you,', 'ask."'],
  },
  {
    what: 'opening punctuation joins the word after it',
    pieces: [' said', ' "', 'no', '."'],
    words: ['said', '"no."'],
  },
  { what: 'hyphens do not part', pieces: [' ill', '-', 'dis', 'posed'], words: ['ill-disposed'] },
  { what: 'a dash between spaces is no word', pieces: [' yes', ' -', ' no'], words: ['yes', 'no'] },
  { what: 'a character in two tokens is whole', pieces: [' caf', [0xc3], [0xa9]], words: ['café'] },
  {
    what: 'a broken character does not swallow what follows',
    pieces: [' a', [0xc3], ' b', ' c', ' d', ' e'],
    words: ['a�', 'b', 'c', 'd', 'e'],
  },
  { what: 'the first word needs no space', pieces: ['And', ' so'], words: ['And', 'so'] },
])('$what', ({ pieces, words }, { expect }) => {
  const tokens = pieces.map((_, token) => token)

  expect(groupWords(tokens, tokenizerOf(pieces), 'en').map(({ text }) => text.trim())).toEqual(words)
})

test('languages without spaces are parted at characters', ({ expect }) => {
  const pieces = ['你', '好', '。', '我']

  const groups = groupWords([0, 1, 2, 3], tokenizerOf(pieces), 'zh')

  expect(groups.map(({ text }) => text)).toEqual(['你', '好。', '我'])
})

test('time and confidence come from the word without its punctuation', ({ expect }) => {
  const [group] = groupWords([0, 1, 2, 3], tokenizerOf([' "', 'ask', 'ed', ',']), 'en')

  expect(group).toMatchObject({ text: ' "asked,', first: 0, count: 4, coreFirst: 1, coreCount: 2 })
})
