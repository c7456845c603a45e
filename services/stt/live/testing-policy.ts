import type { SpeechMessage, SpeechResult } from '../../wire/speech.ts'
import { SAMPLE_RATE_HZ } from '../audio/format.ts'
import type { StreamOptions } from '../engines/port.ts'
import { FRAME_SAMPLES } from '../vad/ears.ts'
import type { Recognition } from '../whisper/port.ts'
import { createPolicy, type Policy } from './policy.ts'
import { LIVE_OPTIONS } from './testing.ts'
import type { Window } from './transcriber.ts'

/** Probabilities of the voice detector. */
export const SPEECH = 0.9
export const PAUSE = 0.1

export const WORD_SECONDS = 0.32

/** A world in which every 0.32 s of audio say a word: its own number. */
export function hear({ samples, startSample }: Window): Recognition {
  const start = startSample / SAMPLE_RATE_HZ
  const end = start + samples().length / SAMPLE_RATE_HZ
  const words = []
  for (let number = Math.ceil(start / WORD_SECONDS); (number + 1) * WORD_SECONDS <= end; number += 1) {
    const startSeconds = number * WORD_SECONDS - start
    words.push({ word: `w${number}`, startSeconds, endSeconds: startSeconds + WORD_SECONDS, confidence: 1 })
  }
  const text = words.map(({ word }) => word).join(' ')
  const sure = { confidence: 1, averageLogProbability: 0, noSpeechProbability: 0, compressionRatio: 1, computeMs: 0 }
  return { text, words, ...sure }
}

export interface Stage {
  readonly policy: Policy
  readonly messages: readonly SpeechMessage[]
  readonly asked: readonly Window[]
  /** Lets somebody speak, or be silent, for some seconds. */
  pass(seconds: number, probability: number): Promise<void>
  results(): SpeechResult[]
}

export function stage(
  options: Partial<StreamOptions> = {},
  transcribe: (window: Window) => Promise<Recognition> = async (window) => hear(window),
  interimInterval?: () => number,
): Stage {
  const messages: SpeechMessage[] = []
  const asked: Window[] = []
  const policy = createPolicy(
    { ...LIVE_OPTIONS, ...options },
    {
      transcribe(window) {
        asked.push(window)
        return transcribe(window)
      },
      ...(interimInterval && { interimInterval }),
      send: (message) => messages.push(message),
      fail(error) {
        throw error
      },
    },
  )
  return {
    policy,
    messages,
    asked,
    async pass(seconds, probability) {
      const frames = Math.round((seconds * SAMPLE_RATE_HZ) / FRAME_SAMPLES)
      for (let frame = 0; frame < frames; frame += 1) {
        const probabilities = Float32Array.of(probability)
        await policy.hear({ samples: new Float32Array(FRAME_SAMPLES), probabilities, channels: 1 })
      }
    },
    results: () => messages.filter((message) => message.type === 'Result'),
  }
}
