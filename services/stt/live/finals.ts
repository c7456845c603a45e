import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { clampWords } from '../domain/clamp-words.ts'
import type { SpeechTime } from '../domain/clamp-words.ts'
import type { Known, Recognition } from '../whisper/port.ts'
import { MAX_CONTEXT_SAMPLES, beforeBy, contextOf, saidAfter, wordsAfter } from './context.ts'
import type { Before, Context, Past, Spoken } from './context.ts'
import {
  MOST_SILENCE_AT_A_CUT_SAMPLES,
  halfOf,
  restOfCut,
  saysTooMuch,
  withoutHalfWord,
  wordsAfterCut,
  wordsBeforeCut,
} from './cut-off.ts'
import type { Interims } from './interims.ts'
import type { Outbox } from './outbox.ts'
import { BLIP_SECONDS, NOTHING_SAID, isBlip, saidBy, toResult } from './result.ts'
import type { Flags, Said, Span } from './result.ts'
import type { SampleBuffer } from './sample-buffer.ts'
import type { Transcribe, Window } from './transcriber.ts'
import type { VoiceTrack } from './voice-track.ts'

/** The final results of one stream, in order. */
export interface Finals {
  /** Audio whose finals are still being made. */
  readonly pendingSamples: number
  /** What was said right before, as far as it is known by now and helps. */
  before(spoken: Spoken): Before | undefined
  /** Starts on what may be about to be put. What was prepared before and is not put is given up. */
  prepare(spoken: Spoken | undefined): void
  /** Recognises what was spoken, with care, and says it. */
  put(spoken: Spoken, flags: Flags): void
  /** Says what is known already. */
  putKnown(spoken: Spoken, flags: Flags, said: Said): void
  /** End of the last word said since this was last asked; undefined when there was none. */
  takeLastWordEnd(): number | undefined
}

export interface FinalsDeps {
  readonly transcribe: Transcribe
  readonly buffer: SampleBuffer
  readonly track: VoiceTrack
  readonly outbox: Outbox
  readonly interims: Interims
  readonly signal: AbortSignal
}

export function createFinals({ transcribe, buffer, track, outbox, interims, signal }: FinalsDeps): Finals {
  let earlier: Earlier[] = []
  let pendingSamples = 0
  let lastWordEndSeconds: number | undefined
  let prepared: Prepared | undefined

  /** Hears what was spoken, from any place from `earliest` on. */
  function hearing(earliest: number, spoken: Spoken, haste: Haste): Hear {
    // Taken now: for a second try the buffer may have moved on.
    const all = buffer.slice(earliest, spoken.endSample)
    const voice = track.copy(earliest, spoken.endSample)
    const rival = interims.shown
    return async (startSample, known) => {
      const samples = all.subarray(startSample - earliest)
      const hints = { ...(rival && { rival }), ...(known && { known }) }
      const recognition = await transcribe({
        purpose: 'final',
        samples: () => samples,
        startSample,
        voice,
        ...hints,
        ...haste,
      })
      if (spoken.endSample - spoken.voiceEndSample > MOST_SILENCE_AT_A_CUT_SAMPLES) return recognition
      const words = wordsBeforeCut(recognition.words, samples.length / SAMPLE_RATE_HZ)
      return words.length === recognition.words.length ? recognition : { ...recognition, ...saidBy(words) }
    }
  }

  async function listen(spoken: Spoken, haste: Haste): Promise<Said> {
    const voicedSamples = track.voicedSamples(spoken.startSample, spoken.endSample)
    const context = contextOf(spoken, earlier)
    const hear = hearing(context?.startSample ?? spoken.startSample, spoken, haste)
    // Whether a noise is a word shows only when it is heard by itself.
    if (context && voicedSamples >= BLIP_SECONDS * SAMPLE_RATE_HZ) {
      const said = await after(context, spoken, hear)
      if (said) return said
    }
    const recognition = await hear(spoken.startSample)
    if (isBlip(recognition, voicedSamples)) return NOTHING_SAID
    // A voice, and no words: what follows cannot build on it.
    return recognition.text ? recognition : { ...recognition, isDoubtful: true }
  }

  /** What is said after its context; undefined where that is no help. */
  async function after(context: Context, spoken: Spoken, hear: Hear): Promise<Said | undefined> {
    const pasts = await Promise.all(earlier.map(({ past }) => past))
    const before = beforeBy(context, pasts)
    if (!before) return afterUnclear(pasts.at(-1), spoken, hear)
    const { startSample, known, halfWord } = before
    const recognition = await hear(startSample, known)
    if (recognition.isDoubtful) return undefined
    const heard = saidAfter(before, spoken, recognition)
    const spokenSeconds = (spoken.voiceEndSample - spoken.startSample) / SAMPLE_RATE_HZ
    const said =
      halfWord && recognition.text
        ? restOfCut(withoutHalfWord(halfWord, recognition.words, heard?.words ?? []), spokenSeconds)
        : heard
    if (!said) return undefined
    // The boundary is the middle of what lies between.
    const isCut = spoken.voiceStartSample - context.boundarySample <= MOST_SILENCE_AT_A_CUT_SAMPLES / 2
    const left = isCut ? saidBy(wordsAfterCut(said.words, known?.text ?? '')) : said
    return saysTooMuch(left.words, (spoken.endSample - spoken.startSample) / SAMPLE_RATE_HZ) ? undefined : left
  }

  /** Speech that was cut before it could be understood is heard with what follows it: all of it is yet to be said. */
  async function afterUnclear(past: Past | undefined, spoken: Spoken, hear: Hear): Promise<Said | undefined> {
    if (!past?.isCut || past.text !== '') return undefined
    const recognition = await hear(past.startSample)
    if (recognition.isDoubtful || !recognition.text) return undefined
    const secondsBefore = (spoken.startSample - past.startSample) / SAMPLE_RATE_HZ
    return saidBy(wordsAfter(recognition.words, Number.NEGATIVE_INFINITY, secondsBefore))
  }

  function say(spoken: Spoken, flags: Flags, saying: Promise<Said>): void {
    const isExpected = interims.end() || flags.fromFinalize
    const length = spoken.endSample - spoken.startSample
    pendingSamples += length
    const past = saying.then(
      (said) => pastOf(spoken, flags, said),
      () => unclear(spoken),
    )
    const added: Earlier = { ...spoken, past, settled: unclear(spoken) }
    void past.then((settled) => Object.assign(added, { settled }))
    earlier = [...earlier, added].filter(({ endSample }) => endSample > spoken.endSample - MAX_CONTEXT_SAMPLES)
    // Handled where it is awaited below; until then a rejection must not count as unhandled.
    saying.catch(() => undefined)
    outbox.put(async () => {
      try {
        const said = await saying
        const result = toResult(spoken, flags, { ...said, words: clampWords(said.words, [voiceOf(spoken)]) })
        lastWordEndSeconds = result.words.at(-1)?.endSeconds ?? lastWordEndSeconds
        // A noise that was taken for speech is not worth a message, unless it ends interims or answers a Finalize.
        return said.text || isExpected ? result : undefined
      } finally {
        pendingSamples -= length
      }
    })
  }

  function takePrepared(spoken: Spoken): Promise<Said> | undefined {
    const taken = prepared
    prepared = undefined
    if (taken && isSameSpan(taken.spoken, spoken)) {
      taken.isDue = true
      return taken.saying
    }
    taken?.over.abort(new Error('The speech went on.'))
    return undefined
  }

  return {
    get pendingSamples() {
      return pendingSamples
    },
    before(spoken) {
      const context = contextOf(spoken, earlier)
      if (!context) return undefined
      return beforeBy(
        context,
        earlier.map(({ settled }) => settled),
      )
    },
    prepare(spoken) {
      if (spoken && prepared && isSameSpan(prepared.spoken, spoken)) return
      prepared?.over.abort(new Error('The speech went on.'))
      prepared = undefined
      if (!spoken) return
      const over = new AbortController()
      const begun = { spoken, over, isDue: false }
      const saying = listen(spoken, { signal: AbortSignal.any([signal, over.signal]), isDue: () => begun.isDue })
      // Should nobody ask for it, its end is no news.
      saying.catch(() => undefined)
      prepared = Object.assign(begun, { saying })
    },
    put: (spoken, flags) => say(spoken, flags, takePrepared(spoken) ?? listen(spoken, { signal })),
    putKnown: (spoken, flags, said) => say(spoken, flags, Promise.resolve(said)),
    takeLastWordEnd() {
      const ended = lastWordEndSeconds
      lastWordEndSeconds = undefined
      return ended
    },
  }
}

/** Speech before, and what it said. */
interface Earlier extends Spoken {
  readonly past: Promise<Past>
  /** The same, once it is there. */
  readonly settled: Past
}

function unclear(spoken: Spoken): Past {
  return { ...spoken, text: '', isUnclear: true, isCut: false }
}

function pastOf(spoken: Spoken, { fromFinalize }: Flags, said: Said): Past {
  const isCut = fromFinalize && spoken.endSample - spoken.voiceEndSample <= MOST_SILENCE_AT_A_CUT_SAMPLES
  const isUnclear = said.isDoubtful ?? false
  return { ...spoken, text: said.text, isUnclear, isCut, half: isCut ? halfOf(spoken, said) : undefined }
}

type Hear = (fromSample: number, known?: Known) => Promise<Recognition>

type Haste = Pick<Window, 'signal' | 'isDue'>

interface Prepared {
  readonly spoken: Spoken
  readonly over: AbortController
  /** The endpoint has come: somebody waits for it. */
  isDue: boolean
  readonly saying: Promise<Said>
}

function isSameSpan(one: Span, other: Span): boolean {
  return one.startSample === other.startSample && one.endSample === other.endSample
}

/** In seconds from the start of the span, as words are. */
function voiceOf({ startSample, voiceStartSample, voiceEndSample }: Spoken): SpeechTime {
  return {
    startSeconds: (voiceStartSample - startSample) / SAMPLE_RATE_HZ,
    endSeconds: (voiceEndSample - startSample) / SAMPLE_RATE_HZ,
  }
}
