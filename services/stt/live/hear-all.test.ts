import { test } from 'vitest'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { Recognition } from '../whisper/port.ts'
import { hear, PAUSE, SPEECH, stage, WORD_SECONDS } from './testing-policy.ts'
import type { Window } from './transcriber.ts'

/** A model that takes a pause at these seconds for the end of everything. */
function deafAfter(pauseSeconds: number) {
  return async (window: Window): Promise<Recognition> => {
    const recognition = hear(window)
    const end = pauseSeconds - window.startSample / SAMPLE_RATE_HZ
    if (end <= 0) return recognition
    const words = recognition.words.filter(({ endSeconds }) => endSeconds <= end)
    return { ...recognition, words, text: words.map(({ word }) => word).join(' ') }
  }
}

function numbersOf({ words }: { readonly words: readonly { readonly word: string }[] }): number[] {
  return words.map(({ word }) => Number(word.slice(1)))
}

test('what the model leaves out after a pause is heard by itself, and said in its place', async ({ expect }) => {
  const { pass, results, policy } = stage({ endpointingMs: 1000 }, deafAfter(4))
  await pass(4, SPEECH)
  await pass(0.5, PAUSE)
  await pass(3, SPEECH)
  await policy.said()
  const shown = results().at(-1)
  await pass(1.2, PAUSE)
  await policy.said()

  const final = results().at(-1)
  expect(shown).toMatchObject({ isFinal: false })
  expect(final).toMatchObject({ isFinal: true, speechFinal: true })
  const numbers = final ? numbersOf(final) : []
  expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other))
  for (const number of numbers) {
    expect(final?.words[numbers.indexOf(number)]?.startSeconds).toBeCloseTo(number * WORD_SECONDS)
  }
  const afterPause = numbers.filter((number) => number * WORD_SECONDS > 4.4)
  expect(afterPause.length).toBeGreaterThan(7)
  // Most of it was on show before.
  expect(shown && numbersOf(shown)).toEqual(expect.arrayContaining(afterPause.slice(0, 5)))
})

test('the rest is asked for without what was known, shown or expected of the words before it', async ({ expect }) => {
  const { asked, pass, policy } = stage({ endpointingMs: 1000 }, deafAfter(4))
  await pass(4, SPEECH)
  await pass(0.5, PAUSE)
  await pass(3, SPEECH)
  await pass(1.2, PAUSE)
  await policy.said()

  const rest = asked.filter(({ startSample }) => startSample > 4 * SAMPLE_RATE_HZ)
  expect(new Set(rest.map(({ purpose }) => purpose))).toEqual(new Set(['interim', 'final']))
  for (const { startSample, known, draft, rival } of rest) {
    expect(startSample).toBeGreaterThanOrEqual(4.1 * SAMPLE_RATE_HZ)
    expect({ known, draft, rival }).toEqual({ known: undefined, draft: undefined, rival: undefined })
  }
})

test('less than a second of voice is left alone, and a rest that is doubtful or says nothing', async ({ expect }) => {
  const short = stage({ endpointingMs: 1000, interimResults: false }, deafAfter(4))
  await short.pass(4, SPEECH)
  await short.pass(0.5, PAUSE)
  await short.pass(0.8, SPEECH)
  await short.pass(1.2, PAUSE)
  await short.policy.said()
  expect(short.asked.filter(({ purpose }) => purpose === 'final')).toHaveLength(2)
  expect(short.results().at(-1)?.words.at(-1)?.endSeconds).toBeLessThan(4.1)

  for (const change of [{ isDoubtful: true }, { words: [], text: '' }]) {
    const first = deafAfter(4)
    const doubted = stage({ endpointingMs: 1000, interimResults: false }, async (window) => {
      const recognition = await first(window)
      return window.startSample > 4 * SAMPLE_RATE_HZ ? { ...recognition, ...change } : recognition
    })
    await doubted.pass(4, SPEECH)
    await doubted.pass(0.5, PAUSE)
    await doubted.pass(3, SPEECH)
    await doubted.pass(1.2, PAUSE)
    await doubted.policy.said()
    expect(doubted.results().at(-1)?.words.at(-1)?.endSeconds).toBeLessThan(4.1)
  }
})

test('a final that comes late is heard whole, however much was said since', async ({ expect }) => {
  const deaf = deafAfter(4)
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const { pass, results, policy } = stage({ endpointingMs: 1000, interimResults: false }, async (window) => {
    await gate
    return deaf(window)
  })
  await pass(4, SPEECH)
  await pass(0.5, PAUSE)
  await pass(3, SPEECH)
  await pass(30, PAUSE)
  release()
  await policy.said()

  expect(results()).toHaveLength(1)
  expect(results()[0]?.words.at(-1)?.endSeconds).toBeGreaterThan(7)
})
