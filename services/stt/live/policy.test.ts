import * as fc from 'fast-check'
import { test } from 'vitest'
import type { Recognition } from '../whisper/port.ts'
import { hear, PAUSE, SPEECH, stage, WORD_SECONDS } from './testing-policy.ts'
import type { Window } from './transcriber.ts'

const scene = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        seconds: fc.double({ min: 0.1, max: 14, noNaN: true }),
        probability: fc.constant(SPEECH),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        seconds: fc.double({ min: 0.03, max: 1.5, noNaN: true }),
        probability: fc.constant(PAUSE),
      }),
    },
    { weight: 1, arbitrary: fc.constant('Finalize' as const) },
  ),
  { minLength: 1, maxLength: 12 },
)

/** What is said when each answer takes so many turns of the loop. */
async function play(
  acts: readonly (typeof scene extends fc.Arbitrary<infer T> ? T : never)[number][],
  turns: readonly number[],
  endpointingMs: number | false,
) {
  let calls = 0
  const { policy, pass, results } = stage({ endpointingMs }, async (window) => {
    const wait = turns[calls % turns.length] ?? 0
    calls += 1
    for (let turn = 0; turn < wait; turn += 1) await Promise.resolve()
    window.signal.throwIfAborted()
    return hear(window)
  })
  for (const act of acts) {
    if (act === 'Finalize') policy.finalize()
    else await pass(act.seconds, act.probability)
  }
  policy.close()
  await policy.said()
  return results()
}

test('final words never change, and do not depend on how long answers take', async ({ expect }) => {
  const delays = fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 5 })
  const endpoints = fc.constantFrom(100, 300, 1000, false as const)
  await fc.assert(
    fc.asyncProperty(scene, delays, endpoints, async (acts, turns, endpointingMs) => {
      const results = await play(acts, turns, endpointingMs)

      let finalSeconds = 0
      for (const { isFinal, startSeconds, durationSeconds } of results) {
        expect(startSeconds).toBeGreaterThanOrEqual(finalSeconds - 1e-6)
        // The answer to a Finalize in silence says nothing about any audio.
        if (isFinal && durationSeconds > 0) finalSeconds = startSeconds + durationSeconds
      }
      const finals = results.filter(({ isFinal }) => isFinal)
      const numbers = finals.flatMap(({ words }) => words).map(({ word }) => Number(word.slice(1)))
      // Each word once, in order.
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
      const prompt = await play(acts, [0], endpointingMs)
      expect(finals.filter(({ text }) => text)).toEqual(prompt.filter(({ isFinal, text }) => isFinal && text))
    }),
    { numRuns: 60 },
  )
})

test('a final is begun in the pause before its endpoint, and asked for once', async ({ expect }) => {
  const { asked, pass, results, policy } = stage()
  await pass(2, SPEECH)
  await pass(0.25, PAUSE)

  expect(asked.filter(({ purpose }) => purpose === 'final')).toHaveLength(1)
  await pass(0.2, PAUSE)
  await policy.said()

  expect(results().at(-1)).toMatchObject({ isFinal: true, speechFinal: true })
  expect(asked.filter(({ purpose }) => purpose === 'final')).toHaveLength(1)
})

test('a final that was begun too early is given up', async ({ expect }) => {
  const { asked, pass, results, policy } = stage()
  await pass(2, SPEECH)
  await pass(0.25, PAUSE)
  await pass(1, SPEECH)
  await pass(0.5, PAUSE)
  await policy.said()

  const [early, late] = asked.filter(({ purpose }) => purpose === 'final')
  expect(early?.signal.aborted).toBe(true)
  expect(late?.signal.aborted).toBe(false)
  const finals = results().filter(({ isFinal }) => isFinal)
  expect(finals).toHaveLength(1)
  expect(finals[0]?.words.at(-1)?.endSeconds).toBeGreaterThan(2.5)
})

test('words after a cut stay on show, without hearing them again', async ({ expect }) => {
  const { asked, pass, results, policy } = stage({ endpointingMs: false })
  await pass(6, SPEECH)
  // Too short to be an endpoint, long enough to be a dip.
  await pass(0.15, PAUSE)
  await pass(4, SPEECH)
  await policy.said()

  const cut = results().findIndex(({ isFinal }) => isFinal)
  const [final, rest] = results().slice(cut)
  const cutAsked = asked.findIndex(({ purpose }) => purpose === 'cut')
  expect(rest).toMatchObject({
    isFinal: false,
    startSeconds: (final?.startSeconds ?? 0) + (final?.durationSeconds ?? 0),
  })
  expect(rest?.words.length).toBeGreaterThan(5)
  // Window time became stream time: word n still starts at 0.32 n.
  for (const { word, startSeconds } of rest?.words ?? []) {
    expect(startSeconds).toBeCloseTo(Number(word.slice(1)) * WORD_SECONDS, 5)
  }
  expect(asked.slice(cutAsked + 1).filter(({ startSample }) => startSample > 0).length).toBeLessThan(3)
})

test('the last word before a pause is shown in it when the endpoint is far', async ({ expect }) => {
  const { pass, results, policy } = stage({ endpointingMs: 2000 })
  await pass(1.28 + 2 * WORD_SECONDS, SPEECH)
  await policy.said()
  expect(results().at(-1)?.text).not.toContain('w5')

  await pass(0.6, PAUSE)
  await policy.said()
  expect(results().at(-1)).toMatchObject({ isFinal: false, text: expect.stringContaining('w5') })
})

/** Interims whose samples are asked for when somebody says so; finals at once. */
function lateWorker() {
  const turns: (() => void)[] = []
  const transcribe = async (window: Window): Promise<Recognition> => {
    if (window.purpose === 'interim') await new Promise<void>((resolve) => turns.push(resolve))
    return hear(window)
  }
  return { transcribe, serve: () => turns.shift()?.() }
}

test('an interim that had to wait for a worker tells of the newest audio, and the next one follows it', async ({
  expect,
}) => {
  const { transcribe, serve } = lateWorker()
  const { asked, pass, results } = stage({}, transcribe)
  await pass(2, SPEECH)
  expect(asked).toHaveLength(1)

  serve()
  await pass(0.3, SPEECH)

  const [interim] = results()
  expect((interim?.startSeconds ?? 0) + (interim?.durationSeconds ?? 0)).toBeCloseTo(2, 1)
  // Half a second after the audio of the last one, however late that was.
  expect(asked).toHaveLength(1)
  await pass(0.3, SPEECH)
  expect(asked).toHaveLength(2)
})

test('an interim whose turn comes when the final is near is not made', async ({ expect }) => {
  const { transcribe, serve } = lateWorker()
  const { asked, pass, results, policy } = stage({}, transcribe)
  await pass(2, SPEECH)
  await pass(0.25, PAUSE)
  serve()
  await pass(0.3, PAUSE)
  await policy.said()

  expect(asked.map(({ purpose }) => purpose)).toEqual(['interim', 'final'])
  expect(results().map(({ isFinal }) => isFinal)).toEqual([true])
})

test('a final that is begun early is due when its endpoint comes', async ({ expect }) => {
  const { asked, pass } = stage()
  await pass(2, SPEECH)
  await pass(0.25, PAUSE)
  const final = asked.find(({ purpose }) => purpose === 'final')
  expect(final?.isDue?.()).toBe(false)

  await pass(0.1, PAUSE)
  expect(final?.isDue?.()).toBe(true)
})

test('interims come as often as they are wanted', async ({ expect }) => {
  const seconds = [0.5, 2].map(async (interval) => {
    const { asked, pass } = stage({}, undefined, () => interval)
    await pass(6, SPEECH)
    return asked.length
  })
  expect(await Promise.all(seconds)).toEqual([11, 3])
})

test('while answers do not come at most one more interim waits, the newest; finals are asked for all the same', async ({
  expect,
}) => {
  const never = new Promise<Recognition>(() => undefined)
  const { asked, pass, policy } = stage({}, (window) =>
    window.purpose === 'interim' ? never : Promise.resolve(hear(window)),
  )
  await pass(6, SPEECH)
  await pass(0.5, PAUSE)
  await policy.said()

  expect(asked.map(({ purpose }) => purpose)).toEqual(['interim', 'final'])
})

test('silence is not recognised, before speech or after it', async ({ expect }) => {
  const { asked, pass, policy } = stage({ utteranceEndMs: 1000 })
  await pass(30, PAUSE)
  expect(asked).toEqual([])

  await pass(1, SPEECH)
  await pass(0.5, PAUSE)
  const { length } = asked
  await pass(30, PAUSE)
  policy.close()
  await policy.said()
  expect(asked).toHaveLength(length)
})

test.for([
  { name: 'Finalize', end: 'finalize', flags: { fromFinalize: true, speechFinal: false } },
  { name: 'CloseStream', end: 'close', flags: { fromFinalize: false, speechFinal: false } },
] as const)('$name in mid-word makes a final at once, of all that was heard', async ({ end, flags }, { expect }) => {
  const { asked, pass, results, policy } = stage()
  await pass(1.12, SPEECH)
  policy[end]()
  await policy.said()

  expect(asked.at(-1)?.purpose).toBe('final')
  expect(results().at(-1)).toMatchObject({ ...flags, isFinal: true, startSeconds: 0 })
  expect(results().at(-1)?.durationSeconds).toBeCloseTo(1.12, 1)
})
