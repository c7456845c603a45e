import * as fc from 'fast-check'
import { test } from 'vitest'
import type { ModelManifest } from '../../models/manifest.ts'
import { createLogitRules, type Choice } from './logit-rules.ts'
import { seededRandom } from '../../../wire/seeded-random.ts'

// Text 0-9, end of text 10, control tokens 11-16, timestamps 17-99.
const END = 10
const NO_TIMESTAMPS = 16
const T0 = 17
const manifest = {
  tokens: { endOfText: END, firstTimestamp: T0, noTimestamps: NO_TIMESTAMPS },
  dimensions: { vocabulary: 100 },
  suppressed: [3, 12],
  suppressedFirst: [4, END],
} as unknown as ModelManifest

/** Logits that prefer the given tokens, in order; all others are equal. */
function preferring(...tokens: readonly number[]): Float32Array {
  const logits = new Float32Array(100)
  for (const [rank, token] of tokens.entries()) logits[token] = 20 - rank
  return logits
}

test.for([
  { rule: 'takes the likeliest text', chosen: [5], likes: [7, 8], timestamps: false, expected: 7 },
  { rule: 'never takes a suppressed token', chosen: [5], likes: [3, 8], timestamps: false, expected: 8 },
  { rule: 'does not begin with a blank or the end', chosen: [], likes: [4, END, 6], timestamps: false, expected: 6 },
  { rule: 'takes no timestamp where none are wanted', chosen: [5], likes: [T0 + 3, 6], timestamps: false, expected: 6 },
  { rule: 'takes no control token', chosen: [5], likes: [NO_TIMESTAMPS, 11, 6], timestamps: false, expected: 6 },
  { rule: 'begins with a timestamp', chosen: [], likes: [6, T0 + 2], timestamps: true, expected: T0 + 2 },
  {
    rule: 'begins within the first second',
    chosen: [],
    likes: [T0 + 51, T0 + 50],
    timestamps: true,
    expected: T0 + 50,
  },
  { rule: 'has text after an opening timestamp', chosen: [T0], likes: [T0 + 5, 6], timestamps: true, expected: 6 },
  {
    rule: 'has no text after a closing timestamp',
    chosen: [T0, 6, T0 + 9],
    likes: [7, T0 + 9],
    timestamps: true,
    expected: T0 + 9,
  },
  {
    rule: 'may end after a closing timestamp',
    chosen: [T0, 6, T0 + 9],
    likes: [7, END],
    timestamps: true,
    expected: END,
  },
  {
    rule: 'has text after a pair of timestamps',
    chosen: [T0, 6, T0 + 9, T0 + 9],
    likes: [T0 + 12, 7],
    timestamps: true,
    expected: 7,
  },
  {
    rule: 'never goes back in time',
    chosen: [T0, 6, T0 + 9, T0 + 9, 6],
    likes: [T0 + 9, T0 + 10],
    timestamps: true,
    expected: T0 + 10,
  },
])('$rule', ({ chosen, likes, timestamps, expected }, { expect }) => {
  const choice = createLogitRules(manifest, timestamps).choose(preferring(...likes), chosen)

  expect(choice.token).toBe(expected)
})

test('timestamps win together over a likelier piece of text', ({ expect }) => {
  const logits = new Float32Array(100).fill(-50)
  logits[6] = 1
  for (let token = T0 + 10; token < T0 + 20; token += 1) logits[token] = 0.5
  logits[T0 + 15] = 0.6

  const { token, logProbability } = createLogitRules(manifest, true).choose(logits, [T0, 5])

  expect(token).toBe(T0 + 15)
  // Among ten timestamps: e^0.6 / (9 e^0.5 + e^0.6).
  expect(logProbability).toBeCloseTo(0.6 - Math.log(9 * Math.exp(0.5) + Math.exp(0.6)), 4)
})

test('the probability is that among allowed tokens', ({ expect }) => {
  const logits = new Float32Array(100).fill(Number.NEGATIVE_INFINITY)
  for (const [token, logit] of [
    [3, 9],
    [6, 2],
    [7, 1],
  ] as const)
    logits[token] = logit

  const { logProbability } = createLogitRules(manifest, false).choose(logits, [5])

  expect(logProbability).toBeCloseTo(2 - Math.log(Math.exp(2) + Math.exp(1)), 5)
})

/** How often each token is drawn in a thousand. */
function drawn(temperature: number, seed: number): Map<number, number> {
  const rules = createLogitRules(manifest, false, { sampling: { temperature, random: seededRandom(seed) } })
  const counts = new Map<number, number>()
  for (let count = 0; count < 1000; count += 1) {
    const logits = new Float32Array(100).fill(-50)
    // 3 is suppressed.
    for (const [token, share] of [
      [3, 0.9],
      [6, 0.75],
      [7, 0.25],
    ] as const)
      logits[token] = Math.log(share)
    const { token } = rules.choose(logits, [5])
    counts.set(token, (counts.get(token) ?? 0) + 1)
  }
  return counts
}

test('draws allowed tokens by their shares, the same for the same seed', ({ expect }) => {
  const counts = drawn(1, 7)

  expect(new Set(counts.keys())).toEqual(new Set([6, 7]))
  expect(counts.get(6)).toBeGreaterThan(700)
  expect(counts.get(6)).toBeLessThan(800)
  expect(drawn(1, 7)).toEqual(counts)
  expect(drawn(1, 8)).not.toEqual(counts)
})

test('draws the likeliest nearly always when it is cold', ({ expect }) => {
  // (1/3)^5 for each 1 in the likeliest's favour.
  expect(drawn(0.2, 7).get(6)).toBeGreaterThan(985)
})

test('a drawn token carries its own probability, not that of the likeliest', ({ expect }) => {
  const logits = new Float32Array(100).fill(Number.NEGATIVE_INFINITY)
  logits[6] = 2
  logits[7] = 1
  const last = (): number => 0.999

  const choice = createLogitRules(manifest, false, { sampling: { temperature: 1, random: last } }).choose(logits, [5])

  expect(choice.token).toBe(7)
  expect(choice.logProbability).toBeCloseTo(1 - Math.log(Math.exp(2) + Math.exp(1)), 5)
})

/** Whisper's rules as they are told: each token is allowed or not, and all that are allowed are weighed together. */
function chooseByMask(logits: Float32Array, chosen: readonly number[], timestamps: boolean): Choice {
  const isTime = (token: number | undefined): boolean => token !== undefined && token >= T0
  const afterTime = isTime(chosen.at(-1))
  const afterPair = afterTime && (chosen.length < 2 || isTime(chosen.at(-2)))
  const latest = chosen.findLast(isTime)
  const isAllowed = (token: number): boolean => {
    if (manifest.suppressed.includes(token)) return false
    if (chosen.length === 0 && manifest.suppressedFirst.includes(token)) return false
    if (!timestamps) return token <= END
    if (chosen.length === 0) return token >= T0 && token <= T0 + 50
    if (token < END) return !afterTime || afterPair
    if (token === END) return true
    if (token < T0 || afterPair) return false
    return latest === undefined ? token > T0 : afterTime ? token >= latest : token > latest
  }
  const allowed = Array.from(logits.keys()).filter(isAllowed)
  const weight = (token: number): number => Math.exp(logits[token] ?? 0)
  const total = (tokens: readonly number[]): number => tokens.reduce((sum, token) => sum + weight(token), 0)
  const times = allowed.filter(isTime)
  const bestText = Math.max(...allowed.filter((token) => !isTime(token)).map(weight))
  const among = total(times) > bestText ? times : allowed
  const token = among.toSorted((one, other) => weight(other) - weight(one) || one - other)[0] ?? 0
  return { token, logProbability: Math.log(weight(token) / total(among)) }
}

test('chooses what the rules taken one by one leave as the likeliest, with its probability', ({ expect }) => {
  const chosenTokens = fc.array(fc.oneof(fc.nat(END - 1), fc.integer({ min: T0, max: 99 })), { maxLength: 6 })
  const logit = fc.integer({ min: -12, max: 12 })
  fc.assert(
    fc.property(
      fc.array(logit, { minLength: 100, maxLength: 100 }),
      chosenTokens,
      fc.boolean(),
      fc.boolean(),
      (values, chosen, timestamps, isWhole) => {
        const sum = values.reduce((total, value) => total + Math.exp(value), 0)
        const logits = Float32Array.from(values, (value) => (isWhole ? value - Math.log(sum) : value))
        const expected = chooseByMask(logits, chosen, timestamps)

        const choice = createLogitRules(manifest, timestamps, { isWhole }).choose(logits, chosen)

        expect(choice.token).toBe(expected.token)
        expect(choice.logProbability).toBeCloseTo(expected.logProbability, 4)
      },
    ),
  )
})

test('a given token counts as likely as it is, also where a timestamp would win', ({ expect }) => {
  const rules = createLogitRules(manifest, true)
  const logits = preferring(T0 + 9, 7)

  const { token, logProbability } = rules.choose(logits, [T0, 6], { given: 7 })

  expect(token).toBe(7)
  // Beside the timestamp, which is e times as likely, all others are nothing.
  expect(logProbability).toBeCloseTo(Math.log(1 / (1 + Math.E)), 3)
})

test('tells the text that was nearly as likely, where there is any', ({ expect }) => {
  const rules = createLogitRules(manifest, true)
  const between = (...logits: readonly [number, number][]): Choice => {
    const row = preferring()
    for (const [token, logit] of logits) row[token] = logit
    return rules.choose(row, [T0, 5])
  }

  expect(between([7, 20], [8, 19.5])).toMatchObject({ token: 7, runnerUp: { token: 8, behind: 0.5 } })
  expect(between([7, 20], [8, 19.2]).runnerUp).toBeUndefined()
  // What is suppressed is no choice, and neither the end nor a timestamp is another word.
  expect(between([7, 20], [3, 20]).runnerUp).toBeUndefined()
  expect(between([7, 20], [END, 19.9], [8, 19.5]).runnerUp).toBeUndefined()
  expect(between([7, 20], [T0 + 9, 19.9]).runnerUp).toBeUndefined()
  expect(between([T0 + 9, 20], [T0 + 8, 19.9], [7, 19.5]).runnerUp).toBeUndefined()
})

test.for([
  { preferred: 'text that is hardly less likely', timestamps: true, likes: [8, 19.4], taken: true },
  { preferred: 'text that is less than half as likely', timestamps: true, likes: [8, 19.2], taken: false },
  { preferred: 'the end', timestamps: true, likes: [END, 19.9], taken: true },
  { preferred: 'a timestamp', timestamps: true, likes: [T0 + 9, 19.9], taken: false },
  { preferred: 'a suppressed token', timestamps: false, likes: [3, 21], taken: false },
  { preferred: 'a control token', timestamps: false, likes: [11, 21], taken: false },
] as const)('prefers $preferred: $taken', ({ timestamps, likes: [token, logit], taken }, { expect }) => {
  const logits = preferring(7)
  logits[token] = logit

  expect(createLogitRules(manifest, timestamps).choose(logits, [T0, 5], { preferred: token }).token).toBe(
    taken ? token : 7,
  )
})

test('prefers nothing where tokens are drawn', ({ expect }) => {
  const sampling = { temperature: 0.01, random: seededRandom(1) }
  const logits = preferring(7)
  logits[8] = 19.4

  expect(createLogitRules(manifest, false, { sampling }).choose(logits, [5], { preferred: 8 }).token).toBe(7)
})

test('prefers no text where a timestamp wins', ({ expect }) => {
  expect(createLogitRules(manifest, true).choose(preferring(T0 + 9, 7), [T0, 5], { preferred: 7 }).token).toBe(T0 + 9)
})
