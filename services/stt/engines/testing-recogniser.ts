import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import { loudnessEars } from '../vad/loudness-ears.ts'
import type { DetectedLanguage, Recogniser, Recognition } from '../whisper/port.ts'
import type { SpeechEngine } from './port.ts'
import { createWhisperEngine } from './whisper.ts'

export interface Heard {
  readonly seconds: number
  readonly language: string | undefined
}

export interface Scripted {
  readonly engine: SpeechEngine
  /** What the recogniser was asked, in order. */
  readonly heard: Heard[]
}

/**
 * An engine whose recogniser hears one word in every window, detects what its length says, and writes down what it is asked.
 *
 * @param wordEnd where the word ends in a window of so many seconds; what is spoken after it, the recogniser left out
 */
export function startScripted(
  detect: (seconds: number) => DetectedLanguage,
  languages: readonly string[] = ['en', 'es', 'de'],
  wordEnd: (seconds: number) => number = () => 0.8,
): Scripted {
  const heard: Heard[] = []
  const recognise = (samples: Float32Array, language: string | undefined): Recognition => {
    const seconds = samples.length / SAMPLE_RATE_HZ
    heard.push({ seconds, language })
    return {
      text: 'word',
      words: [{ word: 'word', startSeconds: 0.4, endSeconds: wordEnd(seconds), confidence: 1 }],
      confidence: 1,
      averageLogProbability: 0,
      noSpeechProbability: 0,
      compressionRatio: 1,
      ...(language === undefined && { detectedLanguage: detect(seconds) }),
      computeMs: 0,
    }
  }
  const recogniser: Recogniser = {
    model: { name: 'scripted', version: '1' },
    languages,
    load: { waitingWindows: 0, busyWorkers: 0, interimIntervalSeconds: 0.5 },
    recognise: async (samples, { language }) =>
      recognise(typeof samples === 'function' ? samples() : samples, language),
    recogniseTogether: async (windows, { language }) => windows.map((samples) => recognise(samples, language)),
    stop: async () => undefined,
  }
  const release = async (): Promise<void> => undefined
  const engine = createWhisperEngine({ recogniser, ears: loudnessEars, maxAudioSeconds: 600, parallel: 2, release })
  return { engine, heard }
}
