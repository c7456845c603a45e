import { test } from 'vitest'
import type { ModelManifest } from '../models/manifest.ts'
import { createLogitRules } from './logit-rules.ts'

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
