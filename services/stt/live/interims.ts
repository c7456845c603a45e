import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { Outbox } from './outbox.ts'
import type { Recognition } from '../whisper/port.ts'
import { isLoop, saidBy, toResult } from './result.ts'
import type { Said, Span } from './result.ts'
import type { Transcribe } from './transcriber.ts'

/** The interim results of one stream: at most one is being made or waits for a worker, and one more may be wanted after it. */
export interface Interims {
  /** `take` is asked when there is a worker for it: what is shown is the newest there is; undefined when there is no need by then. */
  show(startSample: number, take: Take): void
  /** Shows words that are known already. */
  showKnown(span: Span, said: Said): void
  /** The words so far are about to be final: gives up what is under way. Tells whether any interim was sent. */
  end(): boolean
}

type Take = () => InterimWindow | undefined

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
}

export function createInterims({ transcribe, outbox }: InterimsDeps): Interims {
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
      wanted: undefined as Take | undefined,
      lastText: '',
      draft: noTokens,
    }
  }

  function run(startSample: number, take: Take): void {
    const turn = current
    const { signal } = turn.over
    turn.isBusy = true
    let taken: InterimWindow | undefined
    const samples = (): Float32Array => {
      turn.wanted = undefined
      taken = take()
      if (!taken) throw new Error('The words are about to be final.')
      return taken.samples
    }
    const { draft } = turn
    const recognition = transcribe({ samples, startSample, purpose: 'interim', draft, signal })
      // An interim that fails is an interim less; the final will tell.
      .catch(() => undefined)
    outbox.put(async () => {
      const answer = await Promise.race([recognition, turn.isOver])
      turn.isBusy = false
      if (signal.aborted) return undefined
      if (turn.wanted) run(startSample, turn.wanted)
      if (answer && !answer.isDoubtful) turn.draft = answer.tokens ?? noTokens
      if (!answer || !taken || isLoop(answer)) return undefined
      const said = settled(answer, taken)
      if (said.text === turn.lastText) return undefined
      turn.lastText = said.text
      return toResult(taken.span, INTERIM, said)
    })
  }

  return {
    showKnown(span, said) {
      const turn = current
      turn.lastText = said.text
      outbox.put(() => toResult(span, INTERIM, said))
    },
    show(startSample, take) {
      if (current.isBusy) current.wanted = take
      else run(startSample, take)
    },
    end() {
      const ended = current
      current = newTurn()
      ended.over.abort()
      return ended.lastText !== ''
    },
  }
}
