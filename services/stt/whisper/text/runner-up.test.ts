import { test } from 'vitest'
import type { Written } from './branches.ts'
import { totalOf, type Branch, type Generation } from './generate.ts'
import { likelierByRunnersUp } from './runner-up.ts'

interface Text {
  /** Letters, each a token. */
  readonly says: string
  readonly total: number
  /** Of letters by their place: the one that was nearly as likely, and how far behind. */
  readonly open?: Readonly<Record<number, readonly [string, number]>>
  readonly looped?: boolean
  readonly isGivenUp?: boolean
}

function written({ says, total, open = {}, looped = false, isGivenUp = false }: Text): Written {
  const tokens = tokensOf(says)
  const generation: Generation = {
    tokens,
    logProbabilities: tokens.map(() => 0),
    runnersUp: tokens.map((_, place) => {
      const [letter, behind] = open[place] ?? []
      return letter === undefined || behind === undefined ? undefined : { token: letter.charCodeAt(0), behind }
    }),
    averageLogProbability: total / (tokens.length + 1),
    noSpeechProbability: 0,
    looped,
    isGivenUp,
  }
  return { generation }
}

function tokensOf(says: string): number[] {
  return says.split('').map((letter) => letter.charCodeAt(0))
}

function saying({ generation }: Written): string {
  return String.fromCharCode(...generation.tokens)
}

/** Writes `texts`, one after the other, and tells what was asked for: what stays, what is given, what may follow. */
function writing(...texts: readonly Text[]) {
  const asked: string[] = []
  const branches: Omit<Branch, 'from'>[] = []
  const rewrite = async ({ generation }: Written, branch: Omit<Branch, 'from'>): Promise<Written> => {
    const { place, given, resume } = branch
    const parts = [generation.tokens.slice(0, place), given, generation.tokens.slice(resume)]
    asked.push(parts.map((part) => String.fromCharCode(...part)).join('|'))
    branches.push(branch)
    const text = texts[asked.length - 1]
    if (!text) throw new Error('Nothing more was to be written.')
    return written(text)
  }
  return { asked, branches, rewrite }
}

test('a text of which every token is sure is not written again', async ({ expect }) => {
  const own = written({ says: 'sure', total: -1 })
  expect(await likelierByRunnersUp(own, writing().rewrite)).toBe(own)
})

test('the closest runner-up is tried first, and the likelier text counts', async ({ expect }) => {
  const own = written({ says: 'farm', total: -2, open: { 0: ['h', 0.9], 2: ['n', 0.2] } })
  const { asked, branches, rewrite } = writing({ says: 'fanm', total: -3 }, { says: 'harm', total: -1.5 })

  const best = await likelierByRunnersUp(own, rewrite)

  expect(asked).toEqual(['fa|n|m', '|h|arm'])
  expect(branches.map(({ floor }) => floor)).toEqual([totalOf(own.generation), totalOf(own.generation)])
  expect(saying(best)).toBe('harm')
})

test('goes on from a text that won: with what is open in it, but not back to what lost', async ({ expect }) => {
  const own = written({ says: 'abcd', total: -4, open: { 1: ['x', 0.1], 3: ['y', 0.5] } })
  const won: Text = { says: 'axcd', total: -3, open: { 3: ['z', 0.3] } }
  const { asked, rewrite } = writing(won, { says: 'axcz', total: -2.5 })

  expect(saying(await likelierByRunnersUp(own, rewrite))).toBe('axcz')
  expect(asked).toEqual(['a|x|cd', 'axc|z|'])
})

test('neither a loop nor what was given up wins, and after three tries the text stays as it is', async ({ expect }) => {
  const open = { 0: ['w', 0.1], 1: ['x', 0.2], 2: ['y', 0.3], 3: ['z', 0.4] } as const
  const own = written({ says: 'abcd', total: -4, open })
  const { asked, rewrite } = writing(
    { says: 'wwww', total: -1, looped: true },
    { says: 'axcd', total: -4 },
    { says: 'ab', total: -1, isGivenUp: true },
  )

  expect(await likelierByRunnersUp(own, rewrite)).toBe(own)
  expect(asked).toHaveLength(3)
})
