import { openAudioFile } from '../audio/file.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { AUTO, primaryTag } from '../domain/language.ts'
import { spreadWords } from '../domain/spread-words.ts'
import { openLiveStream } from '../live/stream.ts'
import type { Transcribe } from '../live/transcriber.ts'
import { FRAME_SAMPLES } from '../vad/ears.ts'
import type { Ears } from '../vad/ears.ts'
import { loudnessEars } from '../vad/loudness-ears.ts'
import { listenTo } from './listen.ts'
import type { SpeechEngine } from './port.ts'
import { SCRIPTED_CONFIDENCE, scriptedWord, textFor, wordsOf } from './script.ts'
import type { Script } from './script.ts'

const MODEL = { name: 'scripted', version: '1' } as const

/** A live word takes 320 ms of sound. */
const WORD_FRAMES = 10

/**
 * An engine without a model, for tests that are not about recognition. A file yields its text of the script. In a live
 * stream sound (anything louder than −40 dB) speaks the default text, a word each 320 ms, over and over; silence is
 * silence. All else (endpoints, interims, finals, events) is the live policy that real recognition uses.
 */
export function createScriptedEngine(script: Script, { maxAudioSeconds }: { maxAudioSeconds: number }): SpeechEngine {
  return {
    model: MODEL,
    languages: script.languages,
    async transcribe({ bytes }, { language, signal, hold }) {
      const file = openAudioFile(bytes, maxAudioSeconds)
      const recording = await listenTo(file, loudnessEars, { maxSeconds: maxAudioSeconds, signal, hold })
      const { samples, seconds, channels } = recording
      const text = textFor(script, bytes, samples)
      return {
        audioSeconds: seconds,
        channels,
        text,
        confidence: text ? SCRIPTED_CONFIDENCE : 0,
        words: spreadWords(text, seconds, SCRIPTED_CONFIDENCE),
        language: language && language !== AUTO ? primaryTag(language) : (script.languages[0] ?? 'en'),
        model: MODEL,
      }
    },
    openStream(options, send) {
      const { ears, transcribe } = createSpeaker(script.default)
      return openLiveStream(options, { ears, transcribe, send })
    },
    figures: () => ({ audioSeconds: 0, computeSeconds: 0 }),
    stop: async () => undefined,
  }
}

interface Said {
  readonly word: string
  readonly startSample: number
  readonly endSample: number
}

/** Somebody who speaks the text while there is sound: ears that follow it, and what is to be heard in a window. */
function createSpeaker(text: string): { ears: Ears; transcribe: Transcribe } {
  const words = wordsOf(text)
  const said: Said[] = []
  let frame = 0
  let voicedFrames = 0
  let startSample = 0

  function follow(probabilities: Float32Array): void {
    for (const probability of probabilities) {
      if (probability > 0) {
        if (voicedFrames % WORD_FRAMES === 0) startSample = frame * FRAME_SAMPLES
        voicedFrames += 1
        const word = words[said.length % words.length]
        if (word && voicedFrames % WORD_FRAMES === 0) {
          said.push({ word, startSample, endSample: (frame + 1) * FRAME_SAMPLES })
        }
      }
      frame += 1
    }
  }

  return {
    ears: {
      open(format, maxSeconds) {
        const ear = loudnessEars.open(format, maxSeconds)
        return {
          async push(audio) {
            const heard = await ear.push(audio)
            follow(heard.probabilities)
            return heard
          },
          async finish() {
            const heard = await ear.finish()
            follow(heard.probabilities)
            return heard
          },
          close: () => ear.close(),
        }
      },
      stop: () => loudnessEars.stop(),
    },
    async transcribe(window) {
      const endSample = window.startSample + window.samples().length
      const inside = said
        .filter((each) => each.endSample > window.startSample && each.endSample <= endSample)
        .map((each) => ({
          word: each.word,
          startSeconds: Math.max(0, each.startSample - window.startSample) / SAMPLE_RATE_HZ,
          endSeconds: (each.endSample - window.startSample) / SAMPLE_RATE_HZ,
        }))
      return {
        text: inside.map(({ word }) => word).join(' '),
        words: inside.map(({ word, startSeconds, endSeconds }) => scriptedWord(word, startSeconds, endSeconds)),
        confidence: inside.length > 0 ? SCRIPTED_CONFIDENCE : 0,
        averageLogProbability: 0,
        noSpeechProbability: 0,
        compressionRatio: 1,
        computeMs: 0,
      }
    },
  }
}
