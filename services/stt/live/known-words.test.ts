import { test } from 'vitest'
import { hear, PAUSE, SPEECH, stage } from './testing-policy.ts'

test('a final is told what was said right before it, and gives that up where it goes wrong', async ({ expect }) => {
  const { asked, pass, results, policy } = stage({ interimResults: false }, async (window) => ({
    ...hear(window),
    isDoubtful: window.known !== undefined,
  }))
  await pass(2, SPEECH)
  await pass(0.5, PAUSE)
  await pass(1, SPEECH)
  await pass(0.5, PAUSE)
  await policy.said()

  const [first, together, alone] = asked
  expect(first?.known).toBeUndefined()
  expect(together?.startSample).toBe(first?.startSample)
  expect(together?.known?.text).toBe(results()[0]?.text)
  expect(alone?.known).toBeUndefined()
  expect(alone?.startSample).toBeGreaterThan(2 * 16_000)
  expect(results()).toHaveLength(2)
})

test('interims begin with the words that two of them agreed on', async ({ expect }) => {
  const { asked, pass, results } = stage({ endpointingMs: false })
  await pass(4, SPEECH)

  const last = asked.at(-1)
  expect(last?.known?.text).toMatch(/^w0 w1 w2 w3/)
  expect(last?.draft).toMatch(/^w\d/)
  expect(results().at(-1)?.text).toMatch(/^w0 w1 w2 w3 w4 w5 w6 w7 w8 w9/)
})

test('a final and a cut are told what is on show of their speech, and nothing before it', async ({ expect }) => {
  const { asked, pass, results } = stage()
  await pass(11, SPEECH)
  const cut = asked.find(({ purpose }) => purpose === 'cut')
  expect(cut?.rival).toMatch(/^w0 w1 .*w2\d$/)
  await pass(0.2, PAUSE)
  const shown = results().at(-1)
  await pass(0.3, PAUSE)
  await pass(0.4, SPEECH)
  await pass(0.5, PAUSE)

  const [first, second] = asked.filter(({ purpose }) => purpose === 'final')
  expect(shown?.isFinal).toBe(false)
  expect(first?.rival).toBe(shown?.text)
  expect(second?.rival).toMatch(/^w3\d$/)
})

test('the first interims of a phrase are heard after the phrase before it, the others after their own words', async ({
  expect,
}) => {
  const { asked, pass, results, policy } = stage()
  await pass(2, SPEECH)
  await pass(0.5, PAUSE)
  await policy.said()
  const before = results().at(-1)
  const count = asked.length
  await pass(4, SPEECH)

  const told = asked.slice(count).map(({ startSample, known }) => ({ startSample, text: known?.text }))
  const [first, last] = [told[0], told.at(-1)]
  expect(first).toEqual({ startSample: asked[0]?.startSample, text: before?.text })
  // The first words of the phrase.
  expect(last?.startSample).toBeGreaterThan(2 * 16_000)
  expect(last?.text).toMatch(/^w7 w8 w9/)
  const phrase = results().filter(({ startSeconds, isFinal }) => startSeconds > 2 && !isFinal)
  expect(phrase.every(({ text }) => text.startsWith('w7'))).toBe(true)
  expect(phrase[0]?.words[1]?.startSeconds).toBeCloseTo(8 * 0.32)
})

test('interims of a pressed machine are heard alone', async ({ expect }) => {
  const { asked, pass } = stage({}, undefined, () => 1)
  await pass(2, SPEECH)
  await pass(0.5, PAUSE)
  await pass(1.5, SPEECH)

  const interims = asked.filter(({ purpose, startSample }) => purpose === 'interim' && startSample > 2 * 16_000)
  expect(interims.length).toBeGreaterThan(0)
  expect(asked.filter(({ purpose }) => purpose === 'interim').every(({ known }) => !known)).toBe(true)
})
