import type { SpokenWord } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { wordsAfter } from './context.ts'
import type { Before } from './context.ts'
import { withoutHalfWord } from './cut-off.ts'
import type { Outbox } from './outbox.ts'
import { NOTHING_READ, readFrom, readOn, shownWords } from './reading.ts'
import { isLoop, saidBy, toResult } from './result.ts'
import type { Span } from './result.ts'
import type { Transcribe } from './transcriber.ts'
import type { Voice } from './voice-track.ts'

/** The interim results of one stream: at most one is being made or waits for a worker, and one more may be wanted after it. */
export interface Interims {
  /**
   * `take` is asked when there is a worker for it: what is shown is the newest there is; undefined when there is no need by then.
   * Until words are fixed they are heard after `before`.
   */
  show(startSample: number, take: Take, before?: Before): void
  /** Shows what of words that are known already is settled. */
  showKnown(span: Span, words: readonly SpokenWord[]): void
  /** What is on show; empty when nothing is. */
  readonly shown: string
  /** The words so far are about to be final: gives up what is under way. Tells whether any interim was sent. */
  end(): boolean
}

/** Of the samples from there on. */
type Take = (fromSample: number) => InterimWindow | undefined

interface Wanted {
  readonly startSample: number
  readonly take: Take
  readonly before: Before | undefined
}

export interface InterimWindow {
  readonly span: Span
  readonly samples: Float32Array
  /** Speech goes on at its end: the last word may be half a word. */
  readonly isOpen: boolean
}

const INTERIM = { isFinal: false, speechFinal: false, fromFinalize: false } as const

export interface InterimsDeps {
  readonly transcribe: Transcribe
  readonly outbox: Outbox
  readonly voice: Voice
}

export function createInterims({ transcribe, outbox, voice }: InterimsDeps): Interims {
  let current = newTurn()

  function newTurn() {
    const over = new AbortController()
    const isOver = new Promise<undefined>((resolve) => {
      over.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    return {
      over,
      isOver,
      isBusy: false,
      wanted: undefined as Wanted | undefined,
      lastText: '',
      reading: NOTHING_READ,
    }
  }

  function run({ startSample, take, before }: Wanted): void {
    const turn = current
    const { signal } = turn.over
    turn.isBusy = true
    let taken: InterimWindow | undefined
    const samples = (): Float32Array => {
      turn.wanted = undefined
      taken = take(windowStart)
      if (!taken) throw new Error('The words are about to be final.')
      return taken.samples
    }
    const { fixed, rest } = turn.reading
    const context = fixed.length === 0 ? before : undefined
    const windowStart = context?.startSample ?? startSample
    const fixedTo = fixed.at(-1)?.endSeconds
    const known = context?.known ?? (fixedTo === undefined ? undefined : { text: textOf(fixed), endSeconds: fixedTo })
    /** Without those of the phrase before. */
    const own = (heard: readonly SpokenWord[]): readonly SpokenWord[] => {
      const from = context?.boundarySeconds ?? known?.endSeconds ?? 0
      const words = wordsAfter(heard, from, (startSample - windowStart) / SAMPLE_RATE_HZ)
      return context?.halfWord ? withoutHalfWord(context.halfWord, heard, words) : words
    }
    const hints = { ...(known && { known }), ...(rest.length > 0 && { draft: textOf(rest) }) }
    const recognition = transcribe({ samples, startSample: windowStart, purpose: 'interim', voice, ...hints, signal })
      // An interim that fails is an interim less; the final will tell.
      .catch(() => undefined)
    outbox.put(async () => {
      const answer = await Promise.race([recognition, turn.isOver])
      turn.isBusy = false
      if (signal.aborted) return undefined
      const words = answer && taken && !isLoop(answer) ? own(answer.words) : undefined
      if (taken && words) {
        turn.reading = readOn(turn.reading, { words, seconds: secondsOf(taken.span), isOpen: taken.isOpen })
      }
      // Only now: the next one goes on from what this one has fixed.
      if (turn.wanted) run(turn.wanted)
      if (!taken || !words) return undefined
      const said = saidBy(shownWords(turn.reading))
      if (said.text === turn.lastText) return undefined
      turn.lastText = said.text
      return toResult(taken.span, INTERIM, said)
    })
  }

  return {
    get shown() {
      return textOf(shownWords(current.reading))
    },
    showKnown(span, words) {
      const turn = current
      turn.reading = readFrom({ words, seconds: secondsOf(span), isOpen: true })
      const said = saidBy(shownWords(turn.reading))
      if (!said.text) return
      turn.lastText = said.text
      outbox.put(() => toResult(span, INTERIM, said))
    },
    show(startSample, take, before) {
      const wanted = { startSample, take, before }
      if (current.isBusy) current.wanted = wanted
      else run(wanted)
    },
    end() {
      const ended = current
      current = newTurn()
      ended.over.abort()
      return ended.lastText !== ''
    },
  }
}

function textOf(words: readonly SpokenWord[]): string {
  return words.map(({ word }) => word).join(' ')
}

function secondsOf({ startSample, endSample }: Span): number {
  return (endSample - startSample) / SAMPLE_RATE_HZ
}
