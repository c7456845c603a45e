import { openAudioFile } from '../audio/file.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { openLiveStream } from '../live/stream.ts'
import type { Purpose } from '../live/transcriber.ts'
import type { Ears } from '../vad/ears.ts'
import { segmentsOf } from '../vad/segmenter.ts'
import type { Recogniser, Recognition, Samples, WindowOptions } from '../whisper/port.ts'
import { listenTo } from './listen.ts'
import { piecesOf } from './pieces.ts'
import { quietestPlaceIn } from './quietest-place.ts'
import { together } from './placed.ts'
import type { SpeechEngine } from './port.ts'
import { recognisePieces } from './recognise-pieces.ts'
import { createStreamLanguage, languageToUse } from './whisper-language.ts'

export interface WhisperDeps {
  readonly recogniser: Recogniser
  readonly ears: Ears
  readonly maxAudioSeconds: number
  /** How many windows of one file are worked on at once. */
  readonly parallel: number
  /** Gives back the recogniser and the ears. */
  readonly release: () => Promise<void>
}

type Window = Omit<WindowOptions, 'language' | 'signal' | 'turn'>

/** How live speech is heard. */
export const LIVE_WINDOWS = {
  interim: { priority: 'interim', padding: 'coarse', timestamps: false, isOpen: true },
  cut: { priority: 'final', padding: 'coarse', timestamps: true },
  final: { priority: 'final', padding: 'coarse', timestamps: true },
} as const satisfies Record<Purpose, Window>

const FILE_WINDOW = { priority: 'file', padding: 'coarse', timestamps: true } as const

// A pause in a recording: long enough to be one between phrases.
const PAUSE_SAMPLES = 0.3 * SAMPLE_RATE_HZ

/** Whisper behind a voice detector: only what sounds like speech is recognised. */
export function createWhisperEngine(deps: WhisperDeps): SpeechEngine {
  const { recogniser, ears } = deps
  const { model, languages } = recogniser
  let audioSeconds = 0
  let computeSeconds = 0

  async function recognise(samples: Samples, options: WindowOptions): Promise<Recognition> {
    const recognition = await recogniser.recognise(samples, options)
    computeSeconds += recognition.computeMs / 1000
    return recognition
  }

  return {
    model,
    languages,
    async transcribe({ bytes }, { language, keyterms = [], signal, hold }) {
      const file = openAudioFile(bytes, deps.maxAudioSeconds)
      const recording = await listenTo(file, ears, { maxSeconds: deps.maxAudioSeconds, signal, hold })
      const { samples, probabilities, seconds, channels } = recording
      const segments = segmentsOf(probabilities, PAUSE_SAMPLES)
      const pieces = piecesOf(segments, samples.length, quietestPlaceIn(samples))
      const spoken = languageToUse(language, languages)
      const options = { ...FILE_WINDOW, ...termsOf(keyterms), ...(signal && { signal }) }
      const { said, detected } = await recognisePieces(pieces, {
        language: spoken,
        parallel: deps.parallel,
        segments,
        async recognise(group, inLanguage) {
          const windows = group.map(({ startSample, endSample }) => samples.subarray(startSample, endSample))
          const heard = await recogniser.recogniseTogether(windows, { ...options, language: inLanguage })
          for (const { computeMs } of heard) computeSeconds += computeMs / 1000
          return heard
        },
      })
      audioSeconds += seconds
      return {
        audioSeconds: seconds,
        channels,
        ...together(said),
        language: detected?.language ?? spoken ?? 'en',
        ...(detected && { languageConfidence: detected.confidence }),
        model,
      }
    },
    openStream(options, send) {
      const language = createStreamLanguage(languageToUse(options.language, languages))
      const source = {}
      return openLiveStream(options, {
        ears,
        interimInterval: () => recogniser.load.interimIntervalSeconds,
        async transcribe({ purpose, samples, known, draft, rival, isDue, signal }) {
          let seconds = 0
          const newest = (): Float32Array => {
            const taken = samples()
            seconds = taken.length / SAMPLE_RATE_HZ
            return taken
          }
          const terms = termsOf(options.keyterms ?? [])
          const turn = isDue ? { source, isDue } : { source }
          const hints = { ...(known && { known }), ...(draft && { draft }), ...(rival && { rival }) }
          const window = { ...LIVE_WINDOWS[purpose], language: language.current, ...terms, ...hints, turn, signal }
          const recognition = await recognise(newest, window)
          if (purpose !== 'interim') language.hear(recognition, seconds)
          return recognition
        },
        send(message) {
          if (message.type === 'Summary') audioSeconds += message.audioSeconds
          send(message)
        },
      })
    },
    figures: () => ({ audioSeconds, computeSeconds, load: recogniser.load }),
    stop: deps.release,
  }
}

function termsOf(keyterms: readonly string[]): Pick<WindowOptions, 'keyterms'> {
  return keyterms.length > 0 ? { keyterms } : {}
}
