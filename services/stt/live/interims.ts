import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { Outbox } from './outbox.ts'
import type { Recognition } from '../whisper/port.ts'
import { isLoop, saidBy, toResult } from './result.ts'
import type { Said, Span } from './result.ts'
import type { Transcribe } from './transcriber.ts'

/** The interim results of one stream: at most one is being made, and of those waiting only the newest counts. */
export interface Interims {
  show(window: InterimWindow): void
  /** Shows words that are known already. */
  showKnown(span: Span, said: Said): void
  /** Until the next interim: half a second, more while the answers come late. */
  readonly intervalSamples: number
  /** The words so far are about to be final: gives up what is under way. Tells whether any interim was sent. */
  end(): boolean
}

export interface InterimWindow {
  readonly span: Span
  readonly samples: Float32Array
  /** Speech goes on at its end: the last word may be half a word. */
  readonly isOpen: boolean
}

/** What is heard this close to the end of the audio changes with the next sound more often than not. */
export const UNSETTLED_SECONDS = 0.25

/** Without the words at the open end of a window. */
function settled(answer: Recognition, { samples, isOpen }: InterimWindow): Said {
  const settledSeconds = samples.length / SAMPLE_RATE_HZ - UNSETTLED_SECONDS
  if (!isOpen || answer.words.every(({ endSeconds }) => endSeconds <= settledSeconds)) return answer
  return saidBy(answer.words.filter(({ endSeconds }) => endSeconds <= settledSeconds))
}

const noTokens: readonly number[] = []
const INTERIM = { isFinal: false, speechFinal: false, fromFinalize: false } as const

export interface InterimsDeps {
  readonly transcribe: Transcribe
  readonly outbox: Outbox
  /** How much of the stream has come in. */
  readonly heardSamples: () => number
}

const INTERVAL_SAMPLES = 0.5 * SAMPLE_RATE_HZ
// An answer this late finds the machine busy: fewer interims, so that finals and other streams go on.
const LATE_SAMPLES = 0.25 * SAMPLE_RATE_HZ
const LONGEST_INTERVAL_SAMPLES = 2 * SAMPLE_RATE_HZ

/** Twice as long for each time the last answer was late by more, up to 2 s. */
export function intervalFor(lateSamples: number): number {
  const doublings = Math.ceil(Math.log2(Math.max(1, lateSamples / LATE_SAMPLES)))
  return Math.min(LONGEST_INTERVAL_SAMPLES, INTERVAL_SAMPLES * 2 ** doublings)
}

export function createInterims({ transcribe, outbox, heardSamples }: InterimsDeps): Interims {
  let current = newTurn()
  let lateSamples = 0

  function newTurn() {
    const over = new AbortController()
    const isOver = new Promise<undefined>((resolve) => {
      over.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    return {
      over,
      isOver,
      isBusy: false,
      waiting: undefined as InterimWindow | undefined,
      lastText: '',
      draft: noTokens,
    }
  }

  function run(window: InterimWindow): void {
    const turn = current
    const { signal } = turn.over
    turn.isBusy = true
    const { span, samples } = window
    const { draft } = turn
    const recognition = transcribe({ samples, startSample: span.startSample, purpose: 'interim', draft, signal })
      // An interim that fails is an interim less; the final will tell.
      .catch(() => undefined)
    outbox.put(async () => {
      const answer = await Promise.race([recognition, turn.isOver])
      turn.isBusy = false
      if (signal.aborted) return undefined
      lateSamples = heardSamples() - span.endSample
      const next = turn.waiting
      turn.waiting = undefined
      if (next) run(next)
      if (answer && !answer.isDoubtful) turn.draft = answer.tokens ?? noTokens
      if (!answer || isLoop(answer)) return undefined
      const said = settled(answer, window)
      if (said.text === turn.lastText) return undefined
      turn.lastText = said.text
      return toResult(span, INTERIM, said)
    })
  }

  return {
    get intervalSamples() {
      return intervalFor(lateSamples)
    },
    showKnown(span, said) {
      const turn = current
      turn.lastText = said.text
      outbox.put(() => toResult(span, INTERIM, said))
    },
    show(window) {
      if (current.isBusy) current.waiting = window
      else run(window)
    },
    end() {
      const ended = current
      current = newTurn()
      ended.over.abort()
      return ended.lastText !== ''
    },
  }
}
