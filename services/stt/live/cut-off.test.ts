import { test } from 'vitest'
import type { SpokenWord } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { halfOf, restOfCut, withoutHalfWord, wordsAfterCut, wordsBeforeCut } from './cut-off.ts'
import { saidBy } from './result.ts'
import { hear, PAUSE, SPEECH, stage } from './testing-policy.ts'
import type { Window } from './transcriber.ts'

function word(text: string, startSeconds: number, endSeconds: number): SpokenWord {
  return { word: text, startSeconds, endSeconds, confidence: 0.9 }
}

/** As the model hears speech that was cut: it goes on with it, and hears in the rest all of it again. */
function hearAsWhole(window: Window) {
  const heard = hear(window)
  const endSeconds = window.samples().length / SAMPLE_RATE_HZ
  const { known } = window
  const again = (known?.text.split(' ') ?? []).slice(-2)
  const repeated = again.map((text, index) => {
    const at = (known?.endSeconds ?? 0) + index * 0.02
    return word(text, at, at + 0.02)
  })
  const invented = ['and', 'so', 'on'].map((text) => word(text, endSeconds - 0.02, endSeconds - 0.02))
  const answered = heard.words.filter(({ startSeconds }) => startSeconds >= (known?.endSeconds ?? 0))
  return { ...heard, words: [...repeated, ...answered, ...invented] }
}

test('a Finalize in mid-word neither invents how the speech goes on nor has its end said again', async ({ expect }) => {
  const { policy, pass, results } = stage({ interimResults: false }, async (window) => hearAsWhole(window))
  await pass(2, SPEECH)
  policy.finalize()
  await pass(2, SPEECH)
  policy.finalize()
  await pass(0.5, PAUSE)
  await policy.said()

  const texts = results().map(({ text }) => text)
  // The cut goes through w6.
  expect(texts).toEqual(['w0 w1 w2 w3 w4 w5', 'w6 w7 w8 w9 w10 w11'])
})

test('a rest that says more than anybody can in its time is heard alone', async ({ expect }) => {
  const { policy, pass, results } = stage({ interimResults: false }, async (window) => {
    const heard = hear(window)
    const { known } = window
    if (!known) return heard
    const invented = Array.from({ length: 12 }, (_, index) => {
      const at = 2 + 0.04 * index
      return word('Americans', at, at + 0.04)
    })
    return { ...heard, words: invented }
  })
  await pass(2, SPEECH)
  policy.finalize()
  await pass(0.7, SPEECH)
  policy.close()
  await policy.said()

  expect(results().map(({ text }) => text)).toEqual(['w0 w1 w2 w3 w4 w5', 'w7'])
})

test('a word that has begun before the cut is kept', ({ expect }) => {
  const words = [word('ask', 0, 0.5), word('what', 0.5, 0.9), word('you', 0.97, 0.97), word('want.', 0.98, 0.98)]
  expect(wordsBeforeCut(words, 1).map((each) => each.word)).toEqual(['ask', 'what'])
  expect(wordsBeforeCut(words.slice(0, 2), 1)).toHaveLength(2)
  expect(wordsBeforeCut(words.slice(2), 1)).toEqual([])
})

test('what is said twice is kept where there was time to say it', ({ expect }) => {
  const known = 'Ask what you can do.'
  const fast = [word('What', 0, 0.02), word('you', 0.02, 0.04), word('can', 0.04, 0.1), word('do', 0.1, 0.3)]
  const slow = [word('What', 0, 0.3), word('you', 0.3, 0.5), word('can', 0.5, 0.7), word('do', 0.7, 1)]
  const rest = word('for', 1, 1.3)

  expect(wordsAfterCut([...fast, rest], known)).toEqual([rest])
  expect(wordsAfterCut([...slow, rest], known)).toEqual([...slow, rest])
  const others = [word('Which', 0, 0.02), ...fast.slice(1)]
  expect(wordsAfterCut(others, known)).toEqual(others)
})

test('speech that is cut before it can be understood is said with what follows it', async ({ expect }) => {
  const { policy, pass, results } = stage({ interimResults: false }, async (window) => {
    const heard = hear(window)
    return window.samples().length < SAMPLE_RATE_HZ ? { ...heard, text: '', words: [] } : heard
  })
  await pass(0.7, SPEECH)
  policy.finalize()
  await pass(1.5, SPEECH)
  policy.close()
  await policy.said()

  expect(results().map(({ text }) => text)).toEqual(['', 'w0 w1 w2 w3 w4 w5'])
})

test('the last word of speech that was cut may be half a word', ({ expect }) => {
  const words = [word('in', 0, 0.2), word('the', 0.2, 0.3), word('super', 0.3, 0.6)]

  expect(halfOf({ startSample: 16_000, endSample: 26_000 }, saidBy(words))).toEqual({
    word: 'super',
    startSample: 1.3 * 16_000,
    before: 'in the',
  })
  expect(halfOf({ startSample: 0, endSample: 1 }, saidBy([]))).toBeUndefined()
})

const AGAIN = word('us.', 0.9, 1.2)
const NEXT = word('We', 1.3, 1.5)

test.for([
  { name: 'comes again, by its greater part behind the cut', heard: [AGAIN, NEXT], words: [AGAIN, NEXT], left: [NEXT] },
  { name: 'lies before the cut', heard: [AGAIN, NEXT], words: [NEXT], left: [NEXT] },
  { name: 'lies before the cut and comes again', heard: [AGAIN, AGAIN], words: [AGAIN], left: [AGAIN] },
  { name: 'is all that comes', heard: [AGAIN], words: [AGAIN], left: [] },
  { name: 'was another word', heard: [NEXT], words: [NEXT], left: [NEXT] },
])('a word that was cut and $name is said once', ({ heard, words, left }, { expect }) => {
  expect(withoutHalfWord('us', heard, words)).toEqual(left)
})

test('speech after a cut of which nothing is left is heard alone, unless it is but the rest of a word', ({
  expect,
}) => {
  const tooMany = [word('in', 0, 0.1), word('the', 0.1, 0.2), word('next', 0.2, 0.3), word('session', 0.3, 0.4)]
  expect(restOfCut([NEXT], 0.3)?.text).toBe('We')
  expect(restOfCut([], 0.3)?.text).toBe('')
  expect(restOfCut(tooMany, 0.3)?.text).toBe('')
  expect(restOfCut([], 1)).toBeUndefined()
})
