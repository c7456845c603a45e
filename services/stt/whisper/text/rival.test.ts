import { test } from 'vitest'
import type { Generation } from './generate.ts'
import type { Written } from './branches.ts'
import { likelierByRival, type RivalDeps } from './rival.ts'

const END = 100
const WORDS = ['And', 'so', 'am', 'I', 'my', 'fellow', 'Americans.', 'noisy', 'est', 'noisiest', 'its', 'it']

/** Each token a word; the start of a phrase and its end are beyond the end of text. */
function written(text: string, averageLogProbability: number, looped = false): Written {
  const tokens = [END + 1, ...tokensOf(text), END + 9]
  const generation: Generation = {
    tokens,
    logProbabilities: tokens.map(() => averageLogProbability),
    runnersUp: tokens.map(() => undefined),
    averageLogProbability,
    noSpeechProbability: 0,
    looped,
    isGivenUp: false,
  }
  return { generation }
}

function tokensOf(text: string): number[] {
  return text
    .split(' ')
    .filter(Boolean)
    .map((word) => WORDS.indexOf(word))
}

/** Writes what it is to; tells what was given. */
function writing(...texts: readonly Written[]): RivalDeps<Written> & { readonly given: string[] } {
  const given: string[] = []
  return {
    given,
    endOfText: END,
    encode: tokensOf,
    wordsOf: (tokens) => tokens.map((token, first) => ({ text: ` ${WORDS[token]}`, first })),
    async rewrite({ generation }, { place, given: word, resume }) {
      const said = [...generation.tokens.slice(0, place), ...word]
      const rest = generation.tokens.slice(resume)
      const named = (tokens: readonly number[]): string => tokens.map((token) => WORDS[token] ?? token).join(' ')
      given.push([named(said), ...(rest.length > 0 ? [named(rest)] : [])].join(' … '))
      const text = texts[given.length - 1]
      if (!text) throw new Error('Nothing more was to be written.')
      return text
    },
  }
}

test('a text that goes as its rival does is not written again', async ({ expect }) => {
  const own = written('And so my fellow Americans.', -0.5)
  expect(await likelierByRival(own, 'and so, my', writing())).toBe(own)
})

test('goes on from the first word that the rival has another for, without its signs', async ({ expect }) => {
  const own = written('And so am I fellow Americans.', -0.5)
  const other = written('And so my fellow Americans.', -0.4)
  const deps = writing(other)

  expect(await likelierByRival(own, 'And so my, fellow', deps)).toBe(other)
  expect(deps.given).toEqual(['101 And so my … I fellow Americans. 109'])
})

test('counts all tokens together, and leaves what is shown unless its own is likelier by far', async ({ expect }) => {
  const own = written('And so am I fellow Americans.', -0.5)
  // Nine tokens with the end against eight.
  const likely = written('And so my fellow Americans.', -0.58)
  const unlikely = written('And so my fellow Americans.', -0.65)

  expect(await likelierByRival(own, 'And so my', writing(likely))).toBe(likely)
  expect(await likelierByRival(own, 'And so my', writing(unlikely))).toBe(own)
})

test('each parting is judged by itself', async ({ expect }) => {
  const own = written('noisy est its', -1)
  const first = written('noisiest its', -0.9)
  const deps = writing(first, written('noisiest it', -2))

  expect(await likelierByRival(own, 'noisiest it', deps)).toBe(first)
  expect(deps.given).toEqual(['101 noisiest … est its 109', '101 noisiest it'])
})

test('a loop wins against nothing', async ({ expect }) => {
  const own = written('And so am', -0.5)
  expect(await likelierByRival(own, 'And so my', writing(written('And so my my my', 0, true)))).toBe(own)
})

test('words that the text leaves out are tried at its end', async ({ expect }) => {
  const deps = writing(written('And so my', -9))
  await likelierByRival(written('And so', -0.5), 'And so my', deps)
  expect(deps.given).toEqual(['101 And so my'])
})
