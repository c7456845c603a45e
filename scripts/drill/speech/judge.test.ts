import { test } from 'vitest'
import { growthOf } from './growth.ts'
import { faultsOf } from './judge.ts'
import type { Message, Result } from './messages.ts'
import { plainPlan, type Plan } from './plan.ts'
import type { Spoken } from './speaker.ts'

const WORDS = 'ask not what your country can do for you'.split(' ')
const WORD_SECONDS = 0.5
const SECONDS = WORDS.length * WORD_SECONDS
const BASELINE = { seconds: SECONDS, words: wordsFrom(0, WORDS.length) }
const UNDISTURBED = { isKilled: false }

const PLAN: Plan = {
  ...plainPlan({
    name: 'test',
    query: '',
    frames: [Buffer.alloc(1)],
    frameSeconds: SECONDS,
    seconds: SECONDS,
    words: WORDS.join(' '),
    isCompressed: false,
    isRepeated: false,
  }),
  compat: 'aldea',
  interimResults: true,
}
const FIRST = result(0, 4)
const SECOND = result(4, 9)
const OPENING: Message = { type: 'Opening', requestId: 'one' }

function wordsFrom(from: number, to: number): Result['words'] {
  return WORDS.slice(from, to).map((text, index) => ({
    text,
    startSeconds: (from + index) * WORD_SECONDS,
    endSeconds: (from + index + 1) * WORD_SECONDS,
  }))
}

/** The words of these places. */
function result(from: number, to: number, more: Partial<Result> = {}): Result {
  return {
    type: 'Result',
    startSeconds: from * WORD_SECONDS,
    endSeconds: to * WORD_SECONDS,
    isFinal: true,
    isSpeechFinal: true,
    isFromFinalize: false,
    text: WORDS.slice(from, to).join(' '),
    words: wordsFrom(from, to),
    ...more,
  }
}

function spoken(messages: readonly Message[], more: Partial<Spoken> = {}): Spoken {
  return {
    plan: PLAN,
    messages: [OPENING, ...messages],
    sentSeconds: SECONDS,
    sha256: '',
    finalizes: 0,
    nonsense: 0,
    code: 1000,
    reason: '',
    trouble: [],
    ...more,
  }
}

test('a stream that says everything once and in order has no fault', ({ expect }) => {
  const interim = result(4, 6, { isFinal: false })
  expect(faultsOf(spoken([FIRST, interim, SECOND]), BASELINE, UNDISTURBED)).toEqual([])
})

test('a final that is missing is a fault, though a server was killed', ({ expect }) => {
  for (const left of [FIRST, SECOND]) {
    const faults = faultsOf(spoken([left]), BASELINE, { isKilled: true })
    expect(faults).toContainEqual(expect.stringMatching(/^no final covers "/))
  }
})

test('a final that says nothing of what was said is a fault', ({ expect }) => {
  const mute = { ...SECOND, text: '', words: [] }
  expect(faultsOf(spoken([FIRST, mute]), BASELINE, UNDISTURBED)).toEqual([expect.stringMatching(/^5 words differ/)])
})

test('what was misheard undisturbed may be understood', ({ expect }) => {
  const misheard = wordsFrom(0, WORDS.length).map(({ startSeconds, endSeconds }) => ({
    text: 'oh',
    startSeconds,
    endSeconds,
  }))
  expect(faultsOf(spoken([FIRST, SECOND]), { ...BASELINE, words: misheard }, UNDISTURBED)).toEqual([])
})

test('what goes back behind final words is a fault', ({ expect }) => {
  const again = result(3, 9)
  expect(faultsOf(spoken([FIRST, again]), BASELINE, UNDISTURBED)).toContainEqual(
    expect.stringContaining('goes back before 2'),
  )
  const late = result(2, 4, { isFinal: false })
  expect(faultsOf(spoken([FIRST, late, SECOND]), BASELINE, UNDISTURBED)).toContainEqual(
    expect.stringContaining('goes back before 2'),
  )
})

test('a Finalize without an answer, a wrong close and a hang are faults', ({ expect }) => {
  const all = [FIRST, SECOND]
  expect(faultsOf(spoken(all, { finalizes: 1 }), BASELINE, UNDISTURBED)).toEqual(['0 answers to 1 times Finalize'])
  expect(faultsOf(spoken(all, { code: 1011, reason: 'NET-0000' }), BASELINE, UNDISTURBED)).toEqual([
    'closed with 1011 NET-0000, not 1000 ',
  ])
  expect(faultsOf(spoken(all, { trouble: ['hangs'] }), BASELINE, UNDISTURBED)).toEqual(['hangs'])
})

test('a stream that broke off owes no more words, but those that came are in order', ({ expect }) => {
  const broken = { plan: { ...PLAN, ending: 'reset' }, code: 1006 } as const
  expect(faultsOf(spoken([FIRST], broken), BASELINE, UNDISTURBED)).toEqual([])
  expect(faultsOf(spoken([SECOND, FIRST], broken), BASELINE, UNDISTURBED)).toHaveLength(1)
})

test('a container that was cut off before its first sound may be refused, what was heard may not', ({ expect }) => {
  const programme = { ...PLAN.programme, isCompressed: true, frames: Array<Buffer>(3).fill(Buffer.alloc(1)) }
  const plan = { ...PLAN, programme, length: 1, ending: 'CloseStream, reset' } as const
  const refusal: Message = { type: 'Error', variant: 'SchemaError', description: 'The OGG audio could not be decoded.' }
  const refused = [expect.stringContaining('1 errors for 0 messages of nonsense (SchemaError: The OGG audio')]

  expect(faultsOf(spoken([refusal], { plan, code: 1006 }), BASELINE, UNDISTURBED)).toEqual([])
  const early = result(0, 0, { isSpeechFinal: false, isFromFinalize: true })
  expect(faultsOf(spoken([early, refusal], { plan, finalizes: 1, code: 1006 }), BASELINE, UNDISTURBED)).toEqual([])
  expect(faultsOf(spoken([FIRST, refusal], { plan, code: 1006 }), BASELINE, UNDISTURBED)).toEqual(refused)
  const whole = { ...plan, length: 3 }
  expect(faultsOf(spoken([refusal], { plan: whole, code: 1006 }), BASELINE, UNDISTURBED)).toEqual(refused)
})

test('growth is the slope of the line through all points, so that one of them decides nothing', ({ expect }) => {
  expect(growthOf([10, 11, 12, 13])).toBeCloseTo(3)
  expect(growthOf([10, 10, 30, 10, 10])).toBeCloseTo(0)
  expect(growthOf([10])).toBe(0)
})
