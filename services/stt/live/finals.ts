import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { clampWords } from '../domain/clamp-words.ts'
import type { SpeechTime } from '../domain/clamp-words.ts'
import type { Recognition } from '../whisper/port.ts'
import { MAX_CONTEXT_SAMPLES, contextOf, saidAfter } from './context.ts'
import type { Spoken } from './context.ts'
import type { Interims } from './interims.ts'
import type { Outbox } from './outbox.ts'
import { BLIP_SECONDS, NOTHING_SAID, isBlip, toResult } from './result.ts'
import type { Flags, Said, Span } from './result.ts'
import type { SampleBuffer } from './sample-buffer.ts'
import type { Transcribe } from './transcriber.ts'
import type { VoiceTrack } from './voice-track.ts'

/** The final results of one stream, in order. */
export interface Finals {
  /** Audio whose finals are still being made. */
  readonly pendingSamples: number
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
  let earlier: Spoken[] = []
  let pendingSamples = 0
  let lastWordEndSeconds: number | undefined

  function recognise({ startSample, endSample }: Span): Promise<Recognition> {
    return transcribe({ purpose: 'final', samples: buffer.slice(startSample, endSample), startSample, signal })
  }

  async function alone(spoken: Spoken, voicedSamples: number): Promise<Said> {
    const recognition = await recognise(spoken)
    return isBlip(recognition, voicedSamples) ? NOTHING_SAID : recognition
  }

  function listen(spoken: Spoken): Promise<Said> {
    const voicedSamples = track.voicedSamples(spoken.startSample, spoken.endSample)
    const context = contextOf(spoken, earlier)
    // Whether a noise is a word shows only when it is heard by itself.
    if (!context || voicedSamples < BLIP_SECONDS * SAMPLE_RATE_HZ) return alone(spoken, voicedSamples)
    // Kept for a second try: by then the buffer may have moved on.
    const { startSample } = spoken
    const samples = buffer.slice(startSample, spoken.endSample)
    return recognise({ startSample: context.startSample, endSample: spoken.endSample }).then((recognition) => {
      // What went wrong in the context must not spread.
      const said = recognition.isDoubtful ? undefined : saidAfter(context, spoken, recognition)
      return said ?? transcribe({ purpose: 'final', samples, startSample, signal })
    })
  }

  function say(spoken: Spoken, flags: Flags, saying: Promise<Said>): void {
    const isExpected = interims.end() || flags.fromFinalize
    const length = spoken.endSample - spoken.startSample
    pendingSamples += length
    earlier = [...earlier, spoken].filter(({ endSample }) => endSample > spoken.endSample - MAX_CONTEXT_SAMPLES)
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

  return {
    get pendingSamples() {
      return pendingSamples
    },
    put: (spoken, flags) => say(spoken, flags, listen(spoken)),
    putKnown: (spoken, flags, said) => say(spoken, flags, Promise.resolve(said)),
    takeLastWordEnd() {
      const ended = lastWordEndSeconds
      lastWordEndSeconds = undefined
      return ended
    },
  }
}

/** In seconds from the start of the span, as words are. */
function voiceOf({ startSample, voiceStartSample, voiceEndSample }: Spoken): SpeechTime {
  return {
    startSeconds: (voiceStartSample - startSample) / SAMPLE_RATE_HZ,
    endSeconds: (voiceEndSample - startSample) / SAMPLE_RATE_HZ,
  }
}
