import { setMaxListeners } from 'node:events'
import type { SpeechMessage, SpokenWord } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { StreamOptions } from '../engines/port.ts'
import { FRAME_SAMPLES } from '../vad/ears.ts'
import type { Heard } from '../vad/ears.ts'
import { SPEECH_OFF, SILENCE, nextVoice } from '../vad/segmenter.ts'
import type { VoiceState } from '../vad/segmenter.ts'
import { CUT_AFTER_SECONDS, CUT_AT_ANY_GAP_SECONDS, CUT_RETRY_SECONDS, chooseCut } from './cut.ts'
import { MAX_CONTEXT_SAMPLES, wordsAfter } from './context.ts'
import type { Spoken } from './context.ts'
import { createFinals } from './finals.ts'
import { hearingAll } from './hear-all.ts'
import { createInterims } from './interims.ts'
import type { InterimWindow } from './interims.ts'
import { createOutbox } from './outbox.ts'
import { UNSURE_SETTLES_SECONDS } from './reading.ts'
import { NOTHING_SAID, saidBy, toResult } from './result.ts'
import type { Flags } from './result.ts'
import { createSampleBuffer } from './sample-buffer.ts'
import type { Transcribe } from './transcriber.ts'
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
  /** From one interim to the next, in seconds of audio; half a second where nobody says. */
  readonly interimInterval?: () => number
  readonly send: (message: SpeechMessage) => void
  /** A final could not be made. */
  readonly fail: (error: unknown) => void
}

/** Speech that has started and is not final yet. */
interface Utterance {
  readonly startSample: number
  readonly voiceStartSample: number
  nextInterimSample: number
  nextCutSample: number
  /** Up to here the words are on show, or will be. */
  shownToSample: number
}

/** What a divided window says after the cut, in seconds from its start. */
interface Rest {
  readonly words: readonly SpokenWord[]
  readonly fromSeconds: number
}

// Measured: 0.1 s of sound before the detected start costs 0.7 points of word errors against 0.3 s.
const PRE_ROLL_SAMPLES = 0.3 * SAMPLE_RATE_HZ
const INTERIM_INTERVAL_SECONDS = 0.5
// Interims that are to come this seldom leave no time for what can be left out.
const PRESSED_INTERVAL_SECONDS = 0.75
const FIRST_INTERIM_SAMPLES = 0.5 * SAMPLE_RATE_HZ
// After a pause this long the words before it are whole, and the speech may be over.
const PAUSE_SAMPLES = 0.2 * SAMPLE_RATE_HZ
// Silence after speech that a final still looks at: no more than has come when it is prepared.
const POST_ROLL_SAMPLES = PAUSE_SAMPLES
// An endpoint this soon after the pause brings the final soon enough.
const SOON_SAMPLES = 0.2 * SAMPLE_RATE_HZ
// Where no endpoint is asked for, speech still starts and stops, for SpeechStarted and UtteranceEnd.
const DEFAULT_SILENCE_MS = 300
// Audio whose finals are under way: about a minute of a file streamed as fast as it goes.
const MAX_PENDING_SAMPLES = 60 * SAMPLE_RATE_HZ

const ENDPOINT = { isFinal: true, speechFinal: true, fromFinalize: false } as const satisfies Flags
const DIVIDED = { isFinal: true, speechFinal: false, fromFinalize: false } as const satisfies Flags
const FINALIZED = { isFinal: true, speechFinal: false, fromFinalize: true } as const satisfies Flags

/** The live policy: interims while speech goes on, one careful final at its end, long speech divided at a pause. */
export function createPolicy(options: StreamOptions, deps: PolicyDeps): Policy {
  const { interimInterval = () => INTERIM_INTERVAL_SECONDS, send, fail } = deps
  const silenceSamples = samplesOf(options.endpointingMs === false ? DEFAULT_SILENCE_MS : options.endpointingMs)
  /** The endpoint, if any, is not near when a pause is noticed. */
  const isLongPause = options.endpointingMs === false || silenceSamples > PAUSE_SAMPLES + SOON_SAMPLES
  const outbox = createOutbox(send, fail)
  const buffer = createSampleBuffer()
  const track = createVoiceTrack()
  const transcribe = hearingAll(deps.transcribe)
  const aborted = new AbortController()
  // As many finals may be under way as fit into MAX_PENDING_SAMPLES; each listens to the signal.
  setMaxListeners(0, aborted.signal)
  const interims = createInterims({ transcribe, outbox, voice: track })
  const finals = createFinals({ transcribe, buffer, track, outbox, interims, signal: aborted.signal })
  const { lastWordAgoMs } = options
  const lastWordAgo = samplesOf(lastWordAgoMs ?? 0)
  let voice: VoiceState = { ...SILENCE, voicedEndSample: -lastWordAgo }
  let utterance: Utterance | undefined
  let isUtteranceEndDue = lastWordAgoMs !== undefined
  /** Said by the server that began the stream. */
  let lastWordOfOther = isUtteranceEndDue ? -lastWordAgo / SAMPLE_RATE_HZ : undefined
  /** Up to here everything is final. */
  let finalSample = 0

  function isPressed(): boolean {
    return interimInterval() > PRESSED_INTERVAL_SECONDS
  }

  function voicedEnd(open: Utterance, now: number): number {
    return Math.max(open.startSample, Math.min(now, voice.voicedEndSample + POST_ROLL_SAMPLES))
  }

  function spokenTo(open: Utterance, endSample: number): Spoken {
    const { startSample, voiceStartSample } = open
    return { startSample, endSample, voiceStartSample, voiceEndSample: Math.min(endSample, voice.voicedEndSample) }
  }

  function finish(open: Utterance, flags: Flags): void {
    // The last frame of a stream is filled up with silence that nobody sent.
    const now = Math.min(voice.frame * FRAME_SAMPLES, buffer.endSample)
    finals.put(spokenTo(open, voicedEnd(open, now)), flags)
    closeAt(now)
  }

  function closeAt(sample: number): void {
    finalSample = sample
    utterance = undefined
    isUtteranceEndDue = true
  }

  async function divide(open: Utterance, now: number): Promise<void> {
    const { startSample } = open
    const samples = buffer.slice(startSample, now)
    const { shown } = interims
    const answer = await transcribe({
      purpose: 'cut',
      samples: () => samples,
      startSample,
      voice: track.copy(startSample, now),
      ...(shown && { rival: shown }),
      signal: aborted.signal,
    })
    const gap = chooseCut({
      words: answer.words,
      windowSeconds: (now - startSample) / SAMPLE_RATE_HZ,
      lowest: (from, to) => track.lowest(startSample + samplesOf(from * 1000), startSample + samplesOf(to * 1000)),
    })
    const isOverdue = now - startSample >= CUT_AT_ANY_GAP_SECONDS * SAMPLE_RATE_HZ
    open.nextCutSample = now + CUT_RETRY_SECONDS * SAMPLE_RATE_HZ
    if (!gap && !isOverdue) return

    const endSample = gap ? startSample + samplesOf(gap.atSeconds * 1000) : now
    finals.putKnown(spokenTo(open, endSample), DIVIDED, gap ? saidBy(answer.words.slice(0, gap.wordCount)) : answer)
    closeAt(endSample)
    if (endSample >= now || track.voicedSamples(endSample, now) === 0) return
    utterance = openAt(endSample, endSample)
    if (gap && options.interimResults)
      showRest(utterance, now, { words: answer.words.slice(gap.wordCount), fromSeconds: gap.atSeconds })
  }

  /** The words after a cut were on show: they stay there until they are heard again. */
  function showRest(open: Utterance, now: number, { words, fromSeconds }: Rest): void {
    const { startSample } = open
    open.nextInterimSample = now + interimInterval() * SAMPLE_RATE_HZ
    interims.showKnown({ startSample, endSample: now }, wordsAfter(words, fromSeconds, fromSeconds))
  }

  function openAt(startSample: number, voiceStartSample: number): Utterance {
    return {
      startSample,
      voiceStartSample,
      nextInterimSample: voiceStartSample + FIRST_INTERIM_SAMPLES,
      nextCutSample: startSample + CUT_AFTER_SECONDS * SAMPLE_RATE_HZ,
      shownToSample: voiceStartSample,
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
    if (!utterance && voice.isSpeaking && probability >= SPEECH_OFF) utterance = openAt(finalSample, finalSample)
    if (utterance) {
      if (wasSpeaking && !voice.isSpeaking && options.endpointingMs !== false) finish(utterance, ENDPOINT)
      else if (now >= utterance.nextCutSample) await divide(utterance, now)
      else showInterim(utterance, now, silence)
      prepareFinal(silence)
    }
    endUtterance(silence)
  }

  function forget(): void {
    // What comes next may be heard together with what came before it.
    const needed = (utterance?.startSample ?? voice.frame * FRAME_SAMPLES) - MAX_CONTEXT_SAMPLES
    buffer.dropBefore(needed)
    track.dropBefore(needed)
  }

  function showInterim(open: Utterance, now: number, silence: number): void {
    if (!options.interimResults) return
    const isOpen = silence < PAUSE_SAMPLES
    // In a pause one more, of the words right before it; the next ones would say the same.
    const isDue = isOpen ? now >= open.nextInterimSample : isLongPause && open.shownToSample < voice.voicedEndSample
    if (!isDue) return
    // The first words of a phrase are guesses without the ones before it; hearing those again takes a third more time.
    const before = isPressed() ? undefined : finals.before(spokenTo(open, now))
    interims.show(open.startSample, (from) => newestOf(open, from), before)
  }

  /** What there is to show by now of what is being said. */
  function newestOf(open: Utterance, fromSample: number): InterimWindow | undefined {
    const now = voice.frame * FRAME_SAMPLES
    const isOpen = now - voice.voicedEndSample < PAUSE_SAMPLES
    if (!isOpen && !isLongPause) return undefined
    open.shownToSample = isOpen ? now - UNSURE_SETTLES_SECONDS * SAMPLE_RATE_HZ : now
    open.nextInterimSample = now + interimInterval() * SAMPLE_RATE_HZ
    const span = { startSample: open.startSample, endSample: now }
    return { span, samples: buffer.slice(fromSample, span.endSample), isOpen }
  }

  /** Starts on a final when speech seems to be over: by the endpoint most of the work is done. */
  function prepareFinal(silence: number): void {
    if (options.endpointingMs === false || !utterance) return
    if (silence < PAUSE_SAMPLES) finals.prepare(undefined)
    else finals.prepare(spokenTo(utterance, voicedEnd(utterance, voice.frame * FRAME_SAMPLES)))
  }

  function endUtterance(silence: number): void {
    if (options.utteranceEndMs === undefined || !isUtteranceEndDue || utterance) return
    if (silence < samplesOf(options.utteranceEndMs)) return
    isUtteranceEndDue = false
    // In its turn, so that the finals before it have told where their last word ends.
    outbox.put(() => {
      const ended = finals.takeLastWordEnd() ?? lastWordOfOther
      lastWordOfOther = undefined
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
      if (finals.pendingSamples > MAX_PENDING_SAMPLES) await outbox.sent()
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
