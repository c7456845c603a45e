import * as fc from 'fast-check'
import { test } from 'vitest'
import type { ModelManifest } from '../../models/manifest.ts'
import type { Decoding } from '../decoder/decoder.ts'
import { generate, type GenerateOptions } from './generate.ts'

const END = 50
const START = 51
const NO_SPEECH = 52
const VOCABULARY = 60
const manifest = {
  tokens: { endOfText: END, startOfTranscript: START, noSpeech: NO_SPEECH, firstTimestamp: 55 },
  dimensions: { vocabulary: VOCABULARY },
  suppressed: [],
  suppressedFirst: [],
} as unknown as ModelManifest

const options: GenerateOptions = {
  manifest,
  prompt: [START],
  timestamps: false,
  maxTokens: 40,
  checkpoint: () => undefined,
}

/** A decoder that says one token after the other, each nine times as likely as all others together. */
function saying(tokens: readonly number[]): Decoding {
  let said = 0
  return {
    length: 0,
    attention: [],
    truncate: () => undefined,
    fork: () => saying(tokens.slice(said)),
    async feed(_tokens, rows) {
      const token = tokens[said] ?? END
      said += 1
      const others = 0.1 / (VOCABULARY - 1)
      const logits = new Float32Array(VOCABULARY).fill(Math.log(others))
      logits[token] = Math.log(0.9)
      return Array.from({ length: rows }, () => logits)
    },
  }
}

test('writes until the text ends', async ({ expect }) => {
  const generation = await generate(saying([1, 2, 3]), options)

  expect(generation).toMatchObject({ tokens: [1, 2, 3], looped: false })
  // Four choices, that of the end included, each among the text tokens and the end.
  const share = 0.9 / (0.9 + (END * 0.1) / (VOCABULARY - 1))
  expect(generation.averageLogProbability).toBeCloseTo(Math.log(share), 4)
  expect(generation.noSpeechProbability).toBeCloseTo(0.1 / (VOCABULARY - 1), 4)
})

test('cuts a loop to one copy', async ({ expect }) => {
  const phrase = [5, 6, 7, 8]

  const generation = await generate(saying([1, ...phrase, ...phrase, ...phrase, ...phrase]), options)

  expect(generation).toMatchObject({ tokens: [1, ...phrase], looped: true })
  expect(generation.logProbabilities).toHaveLength(5)
})

test('takes more tokens than anybody can say for a loop', async ({ expect }) => {
  const endless = Array.from({ length: 49 }, (_, index) => index)

  const generation = await generate(saying(endless), { ...options, maxTokens: 20 })

  expect(generation).toMatchObject({ tokens: endless.slice(0, 20), looped: true })
})

test('stops between steps when it is told to', async ({ expect }) => {
  let steps = 0
  const checkpoint = (): void => {
    steps += 1
    if (steps === 3) throw new Error('enough')
  }

  await expect(generate(saying([1, 2, 3, 4]), { ...options, checkpoint })).rejects.toThrow('enough')
})

/** A decoder whose every answer depends on all it was fed, in few tokens so that drafts are often right. */
function listening(seed: number, before: readonly number[] = []): Decoding & { readonly passes: number } {
  const fed = [...before]
  let passes = 0
  function logitsAfter(tokens: readonly number[]): Float32Array {
    let state = seed
    for (const token of tokens) state = Math.imul(state ^ token, 0x9e3779b1) >>> 7
    const logits = new Float32Array(VOCABULARY).fill(-9)
    // No two are nearly as likely: of those a draft may choose.
    for (let token = 0; token < 4; token += 1)
      logits[token] = 4 * ((Math.imul(state, 2 * token + 1) >>> 8) % 24) + token
    logits[END] = tokens.length > 12 ? 60 : -9
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0)
    return logits.map((logit) => logit - Math.log(sum))
  }
  return {
    get passes() {
      return passes
    },
    get length() {
      return fed.length
    },
    get attention() {
      return fed.map((token) => Float32Array.of(token))
    },
    async feed(tokens, rows) {
      passes += 1
      fed.push(...tokens)
      return Array.from({ length: rows }, (_, row) => logitsAfter(fed.slice(0, fed.length - rows + row + 1)))
    },
    truncate(length) {
      fed.length = Math.min(fed.length, length)
    },
    fork: () => listening(seed, fed),
  }
}

test('a draft changes nothing, however wrong it is', async ({ expect }) => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.nat({ max: 16 }),
      fc.array(fc.nat({ max: 3 }), { maxLength: 20 }),
      fc.integer({ min: 2, max: 20 }),
      async (seed, right, wrong, maxTokens) => {
        const plain = listening(seed)
        const expected = await generate(plain, { ...options, maxTokens })
        const drafted = listening(seed)

        const draft = [...expected.tokens.slice(0, right), ...wrong]
        const generation = await generate(drafted, { ...options, maxTokens, draft })

        expect(generation).toEqual(expected)
        // Word times are read from it.
        expect(drafted.attention).toEqual(plain.attention)
        expect(drafted.passes).toBeLessThanOrEqual(plain.passes + 1)
      },
    ),
  )
})

test('a draft of words alone changes nothing among timestamps either, and spares passes', async ({ expect }) => {
  const told = { ...options, timestamps: true }
  let passes = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(fc.nat({ max: 3 }), { maxLength: 4 }), async (seed, wrong) => {
      const plain = listening(seed)
      const expected = await generate(plain, told)
      const words = expected.tokens.filter((token) => token < END)
      const drafted = listening(seed)

      expect(await generate(drafted, { ...told, draft: [...wrong, ...words.slice(wrong.length)] })).toEqual(expected)
      expect(drafted.passes).toBeLessThanOrEqual(plain.passes)
      passes += plain.passes - drafted.passes
    }),
  )
  expect(passes).toBeGreaterThan(0)
})

test('a token of a draft stays where another is likelier, but not twice as likely', async ({ expect }) => {
  const shares = [{ 1: 0.5, 2: 0.4 }, { 1: 0.6, 2: 0.2 }, { 3: 0.4, 4: 0.5 }, { [END]: 0.4, 5: 0.3 }, { [END]: 0.9 }]
  const wavering = (): Decoding => {
    let length = 0
    return {
      get length() {
        return length
      },
      attention: [],
      truncate: (to) => {
        length = Math.min(length, to)
      },
      fork: wavering,
      async feed(tokens, rows) {
        length += tokens.length
        return Array.from({ length: rows }, (_, row) => {
          const logits = new Float32Array(VOCABULARY).fill(Math.log(0.001))
          for (const [token, share] of Object.entries(shares[length - rows + row] ?? {}))
            logits[Number(token)] = Math.log(share)
          return logits
        })
      },
    }
  }
  const draft = [2, 2, 3, 5]

  expect((await generate(wavering(), options)).tokens).toEqual([1, 1, 4])
  expect((await generate(wavering(), { ...options, draft })).tokens).toEqual([2, 1, 3, 5])
})

test('a draft that is right takes one pass', async ({ expect }) => {
  const { tokens } = await generate(listening(5), options)
  const decoding = listening(5)

  await generate(decoding, { ...options, draft: tokens })

  expect(tokens.length).toBeGreaterThan(5)
  expect(decoding.passes).toBe(1)
})

/** Like `saying`, with a row of attention for each input. */
function attending(tokens: readonly number[]): Decoding {
  const attention: Float32Array[] = []
  const decoding = saying(tokens)
  return {
    ...decoding,
    attention,
    feed(fed, rows) {
      for (const token of fed) attention.push(Float32Array.of(token))
      return decoding.feed(fed, rows)
    },
  }
}

test('stops before the token whose attention says so, without the word it goes on with', async ({ expect }) => {
  const seen: number[] = []
  const stop = {
    // The input that token 4 is chosen after.
    isOver: ([input = 0]: Float32Array) => seen.push(input) > 0 && input === 3,
    startsWord: (token: number) => token === 1 || token === 2,
  }

  const generation = await generate(attending([1, 2, 3, 4, 5]), { ...options, stop })

  expect(seen).toEqual([START, 1, 2, 3])
  expect(generation).toMatchObject({ tokens: [1], looped: false })
  expect(generation.logProbabilities).toHaveLength(1)
})

test('goes on after a prefix, which is not part of the text', async ({ expect }) => {
  const fed: number[][] = []
  const decoding = saying([3, 4])
  const generation = await generate(
    {
      ...decoding,
      feed(tokens, rows) {
        fed.push([...tokens])
        return decoding.feed(tokens, rows)
      },
    },
    { ...options, prefix: [1, 2] },
  )

  expect(fed[0]).toEqual([START, 1, 2])
  expect(generation.tokens).toEqual([3, 4])
})

test('a branch is what would have been written had the text begun so', async ({ expect }) => {
  const floor = Number.NEGATIVE_INFINITY
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.nat({ max: 8 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }),
      fc.nat({ max: 12 }),
      async (seed, at, given, resume) => {
        const own = listening(seed)
        const from = await generate(own, options)
        const place = Math.min(at, from.tokens.length)
        const begun = [...from.tokens.slice(0, place), ...given]
        const expected = await generate(listening(seed), { ...options, prompt: [START, ...begun] })

        const fork = own.fork()
        const fed = [...own.attention]
        const generation = await generate(fork, { ...options, branch: { from, place, given, resume, floor } })

        expect(generation.logProbabilities.slice(0, place)).toEqual(from.logProbabilities.slice(0, place))
        expect(generation.noSpeechProbability).toBe(from.noSpeechProbability)
        expect(generation.runnersUp).toHaveLength(generation.tokens.length)
        // Loops are looked for in the whole text.
        if (!generation.looped) expect(generation.tokens).toEqual([...begun, ...expected.tokens])
        // The text it came from is as it was.
        expect(own.attention).toEqual(fed)
      },
    ),
  )
})

test('a branch by the same tokens is the same text', async ({ expect }) => {
  const own = listening(5)
  const from = await generate(own, options)
  const given = from.tokens.slice(2, 4)
  const branch = { from, place: 2, given, resume: 4, floor: Number.NEGATIVE_INFINITY }

  const { runnersUp: _, ...same } = await generate(own.fork(), { ...options, branch })

  const { runnersUp: __, ...expected } = from
  expect(same).toEqual(expected)
})

test('a branch is given up as soon as it is less likely than it has to be', async ({ expect }) => {
  const own = listening(5)
  const from = await generate(own, options)
  const other = (from.tokens[1] ?? 0) === 0 ? 1 : 0
  const floor = from.averageLogProbability * (from.tokens.length + 1)

  const branch = { from, place: 1, given: [other], resume: 2, floor }
  const generation = await generate(own.fork(), { ...options, branch })

  expect(generation.tokens.length).toBeLessThan(from.tokens.length)
  expect(generation.averageLogProbability * (generation.tokens.length + 1)).toBeLessThan(floor)
})

test('a branch is given up where it joins the other text again and is less likely by then', async ({ expect }) => {
  const ONE_IN_NINE = Math.log(0.1 / (VOCABULARY - 1))
  const own = saying([1, 2, 3, 4, 5, 6])
  const from = await generate(own, options)
  // As likely as the other text but for the given token, and longer by one.
  const branch = { from, place: 1, given: [9], resume: 1, floor: from.averageLogProbability * 7 }
  const rest = saying([9, 2, 3, 4, 5, 6])

  const generation = await generate(rest, { ...options, branch: { ...branch, floor: branch.floor + ONE_IN_NINE } })
  expect(generation).toMatchObject({ tokens: [1, 9, 2, 3, 4, 5, 6], isGivenUp: false })
  expect(await generate(saying([9, 2, 3, 4, 5, 6]), { ...options, branch })).toMatchObject({ isGivenUp: true })
})

test('a phrase that opens where the one before closed takes no pass for it', async ({ expect }) => {
  const said = [55, 1, 57, 57, 2, 59]
  const fed: number[][] = []
  let place = 0
  const decoding: Decoding = {
    get length() {
      return place
    },
    attention: [],
    truncate(length) {
      place = Math.min(place, length)
    },
    fork: () => decoding,
    async feed(tokens, rows) {
      fed.push([...tokens])
      place += tokens.length
      return Array.from({ length: rows }, (_, row) => {
        const logits = new Float32Array(VOCABULARY).fill(Math.log(0.1 / (VOCABULARY - 1)))
        logits[said[place - rows + row] ?? END] = Math.log(0.9)
        return logits
      })
    },
  }

  const { tokens } = await generate(decoding, { ...options, timestamps: true })

  expect(tokens).toEqual(said)
  expect(fed).toEqual([[START], [55], [1], [57, 57], [2], [59, 59]])
})
