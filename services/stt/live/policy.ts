import type { SpeechMessage } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { StreamOptions } from '../engines/port.ts'
import { FRAME_SAMPLES } from '../vad/ears.ts'
import type { Heard } from '../vad/ears.ts'
import { SPEECH_OFF, SILENCE, nextVoice } from '../vad/segmenter.ts'
import type { Recognition } from '../whisper/recogniser.ts'
import { CUT_AFTER_SECONDS, CUT_AT_ANY_GAP_SECONDS, CUT_RETRY_SECONDS, chooseCut } from './cut.ts'
import { createInterims } from './interims.ts'
import { createOutbox } from './outbox.ts'
import { NOTHING_SAID, isBlip, saidBy, toResult } from './result.ts'
import type { Flags, Span } from './result.ts'
import { createSampleBuffer } from './sample-buffer.ts'
import type { Purpose, Transcribe } from './transcriber.ts'
import { createVoiceTrack } from './voice-track.ts'

/** When to recognise what of a live stream, and when to say so. All its times are audio time. */
export interface Policy {
  /** Resolves when the stream may go on: a window is being divided, or too many finals are under way, until then. */
  hear(heard: Heard): Promise<void>
  /** Makes a final of what is open; an empty one where nothing is, because clients wait for the answer. */
  finalize(): void
  /** Makes a final of what is open, if anything is. */
  close(): void
  /** Resolves when all that was heard so far has been said. */
  said(): Promise<void>
  abort(): void
}

export interface PolicyDeps {
  readonly transcribe: Transcribe
  readonly send: (message: SpeechMessage) => void
  /** A final could not be made. */
  readonly fail: (error: unknown) => void
}

/** Speech that has started and is not final yet. */
interface Utterance {
  readonly startSample: number
  nextInterimSample: number
  nextCutSample: number
}

// Measured: 0.1 s of sound before the detected start costs 0.7 points of word errors against 0.3 s.
const PRE_ROLL_SAMPLES = 0.3 * SAMPLE_RATE_HZ
const INTERIM_SAMPLES = 0.5 * SAMPLE_RATE_HZ
// A pause this long makes the next interim equal to the last one.
const INTERIM_SILENCE_SAMPLES = 0.2 * SAMPLE_RATE_HZ
// Silence after speech that a final still looks at.
const POST_ROLL_SAMPLES = 0.3 * SAMPLE_RATE_HZ
// Where no endpoint is asked for, speech still starts and stops, for SpeechStarted and UtteranceEnd.
const DEFAULT_SILENCE_MS = 300
// Audio whose finals are under way: about a minute of a file streamed as fast as it goes.
const MAX_PENDING_SAMPLES = 60 * SAMPLE_RATE_HZ

const ENDPOINT = { isFinal: true, speechFinal: true, fromFinalize: false } as const satisfies Flags
const DIVIDED = { isFinal: true, speechFinal: false, fromFinalize: false } as const satisfies Flags
const FINALIZED = { isFinal: true, speechFinal: false, fromFinalize: true } as const satisfies Flags

/** The live policy: interims while speech goes on, one careful final at its end, long speech divided at a pause. */
export function createPolicy(options: StreamOptions, { transcribe, send, fail }: PolicyDeps): Policy {
  const silenceSamples = samplesOf(options.endpointingMs === false ? DEFAULT_SILENCE_MS : options.endpointingMs)
  const outbox = createOutbox(send, fail)
  const buffer = createSampleBuffer()
  const track = createVoiceTrack()
  const aborted = new AbortController()
  const interims = createInterims({ transcribe, outbox })
  let voice = SILENCE
  let utterance: Utterance | undefined
  /** Up to here everything is final. */
  let finalSample = 0
  let pendingSamples = 0
  let isUtteranceEndDue = false
  /** End of the last word sent as final and not yet followed by an UtteranceEnd. */
  let lastWordEndSeconds: number | undefined

  function recognise(purpose: Purpose, { startSample, endSample }: Span): Promise<Recognition> {
    const samples = buffer.slice(startSample, endSample)
    return transcribe({ purpose, samples, startSample, signal: aborted.signal })
  }

  function putFinal(span: Span, flags: Flags, recognition: Promise<Recognition>, wordCount?: number): void {
    const voiced = track.voicedSamples(span.startSample, span.endSample)
    const isExpected = interims.end() || flags.fromFinalize
    const length = span.endSample - span.startSample
    pendingSamples += length
    // Handled where it is awaited below; until then a rejection must not count as unhandled.
    recognition.catch(() => undefined)
    outbox.put(async () => {
      try {
        const answer = await recognition
        const said = isBlip(answer, voiced)
          ? NOTHING_SAID
          : wordCount === undefined
            ? answer
            : saidBy(answer.words.slice(0, wordCount))
        const result = toResult(span, flags, said)
        lastWordEndSeconds = result.words.at(-1)?.endSeconds ?? lastWordEndSeconds
        // A noise that was taken for speech is not worth a message, unless it ends interims or answers a Finalize.
        return said.text || isExpected ? result : undefined
      } finally {
        pendingSamples -= length
      }
    })
    finalSample = span.endSample
    utterance = undefined
    isUtteranceEndDue = true
  }

  function finish(open: Utterance, flags: Flags): void {
    // The last frame of a stream is filled up with silence that nobody sent.
    const now = Math.min(voice.frame * FRAME_SAMPLES, buffer.endSample)
    const endSample = Math.max(open.startSample, Math.min(now, voice.voicedEndSample + POST_ROLL_SAMPLES))
    const span = { startSample: open.startSample, endSample }
    putFinal(span, flags, recognise('final', span))
    finalSample = now
  }

  async function divide(open: Utterance, now: number): Promise<void> {
    const { startSample } = open
    const answer = await recognise('cut', { startSample, endSample: now })
    if (utterance !== open) return
    const gap = chooseCut({
      words: answer.words,
      windowSeconds: (now - startSample) / SAMPLE_RATE_HZ,
      lowest: (from, to) => track.lowest(startSample + samplesOf(from * 1000), startSample + samplesOf(to * 1000)),
    })
    const isOverdue = now - startSample >= CUT_AT_ANY_GAP_SECONDS * SAMPLE_RATE_HZ
    open.nextCutSample = now + CUT_RETRY_SECONDS * SAMPLE_RATE_HZ
    if (!gap && !isOverdue) return

    const endSample = gap ? startSample + samplesOf(gap.atSeconds * 1000) : now
    putFinal({ startSample, endSample }, DIVIDED, Promise.resolve(answer), gap?.wordCount)
    if (endSample < now && track.voicedSamples(endSample, now) > 0) utterance = openAt(endSample, now)
  }

  function openAt(startSample: number, now: number): Utterance {
    return {
      startSample,
      nextInterimSample: now + INTERIM_SAMPLES,
      nextCutSample: startSample + CUT_AFTER_SECONDS * SAMPLE_RATE_HZ,
    }
  }

  function start(): void {
    const { startSample } = voice
    if (options.vadEvents) outbox.put(() => ({ type: 'SpeechStarted', atSeconds: startSample / SAMPLE_RATE_HZ }))
    utterance ??= openAt(Math.max(finalSample, startSample - PRE_ROLL_SAMPLES), startSample)
  }

  async function judge(probability: number): Promise<void> {
    const wasSpeaking = voice.isSpeaking
    voice = nextVoice(voice, probability, silenceSamples)
    track.append(probability)
    const now = voice.frame * FRAME_SAMPLES
    const silence = now - voice.voicedEndSample
    if (voice.isSpeaking && !wasSpeaking) start()
    // After a Finalize in mid-speech the rest is speech of its own.
    if (!utterance && voice.isSpeaking && probability >= SPEECH_OFF) utterance = openAt(finalSample, now)
    if (utterance) {
      if (wasSpeaking && !voice.isSpeaking && options.endpointingMs !== false) finish(utterance, ENDPOINT)
      else if (now >= utterance.nextCutSample) await divide(utterance, now)
      else if (now >= utterance.nextInterimSample) showInterim(utterance, now, silence)
    }
    endUtterance(silence)
  }

  function forget(): void {
    // Speech yet to be detected may have started a pre-roll and an onset ago.
    const needed = utterance?.startSample ?? voice.frame * FRAME_SAMPLES - PRE_ROLL_SAMPLES - 2 * FRAME_SAMPLES
    buffer.dropBefore(needed)
    track.dropBefore(needed)
  }

  function showInterim(open: Utterance, now: number, silence: number): void {
    open.nextInterimSample += INTERIM_SAMPLES
    if (!options.interimResults || silence >= INTERIM_SILENCE_SAMPLES) return
    const span = { startSample: open.startSample, endSample: now }
    interims.show({ span, samples: buffer.slice(span.startSample, span.endSample) })
  }

  function endUtterance(silence: number): void {
    if (options.utteranceEndMs === undefined || !isUtteranceEndDue || utterance) return
    if (silence < samplesOf(options.utteranceEndMs)) return
    isUtteranceEndDue = false
    // In its turn, so that the finals before it have told where their last word ends.
    outbox.put(() => {
      const ended = lastWordEndSeconds
      lastWordEndSeconds = undefined
      return ended === undefined ? undefined : { type: 'UtteranceEnd', lastWordEndSeconds: ended }
    })
  }

  return {
    async hear({ samples, probabilities }) {
      buffer.append(samples)
      for (const probability of probabilities) {
        if (aborted.signal.aborted) return
        await judge(probability)
      }
      forget()
      if (pendingSamples > MAX_PENDING_SAMPLES) await outbox.sent()
    },
    finalize() {
      if (utterance) {
        finish(utterance, FINALIZED)
        return
      }
      const span = { startSample: voice.frame * FRAME_SAMPLES, endSample: voice.frame * FRAME_SAMPLES }
      outbox.put(() => toResult(span, FINALIZED, NOTHING_SAID))
    },
    close() {
      if (utterance) finish(utterance, DIVIDED)
    },
    said: () => outbox.sent(),
    abort() {
      aborted.abort(new Error('The stream has ended.'))
      interims.end()
    },
  }
}

function samplesOf(ms: number): number {
  return Math.round((ms * SAMPLE_RATE_HZ) / 1000)
}
