import type { Outbox } from './outbox.ts'
import { isLoop, toResult } from './result.ts'
import type { Span } from './result.ts'
import type { Transcribe } from './transcriber.ts'

/** The interim results of one stream: at most one is being made, and of those waiting only the newest counts. */
export interface Interims {
  show(window: InterimWindow): void
  /** The words so far are about to be final: gives up what is under way. Tells whether any interim was sent. */
  end(): boolean
}

export interface InterimWindow {
  readonly span: Span
  readonly samples: Float32Array
}

const noTokens: readonly number[] = []
const INTERIM = { isFinal: false, speechFinal: false, fromFinalize: false } as const

export function createInterims({ transcribe, outbox }: { transcribe: Transcribe; outbox: Outbox }): Interims {
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
      const next = turn.waiting
      turn.waiting = undefined
      if (next) run(next)
      if (answer && !answer.isDoubtful) turn.draft = answer.tokens ?? noTokens
      if (!answer || isLoop(answer) || answer.text === turn.lastText) return undefined
      turn.lastText = answer.text
      return toResult(window.span, INTERIM, answer)
    })
  }

  return {
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
