import { FRAME_SAMPLES } from '../vad/ears.ts'
import { SPEECH_OFF } from '../vad/segmenter.ts'

/** The recent judgements of the voice detector, addressed by sample position. */
export interface VoiceTrack {
  append(probability: number): void
  dropBefore(sample: number): void
  /** Samples in frames of speech between two positions. */
  voicedSamples(fromSample: number, toSample: number): number
  /** Where the first frame between two positions begins that is of speech, or is not; the second one where there is none. */
  next(isSpeech: boolean, fromSample: number, toSample: number): number
  /** The least likely frame between two positions; 1 where there is none. */
  lowest(fromSample: number, toSample: number): number
}

export function createVoiceTrack(): VoiceTrack {
  let first = 0
  let probabilities: number[] = []

  function between(fromSample: number, toSample: number): number[] {
    const from = Math.max(0, Math.floor(fromSample / FRAME_SAMPLES) - first)
    return probabilities.slice(from, Math.max(0, Math.ceil(toSample / FRAME_SAMPLES) - first))
  }

  return {
    append(probability) {
      probabilities.push(probability)
    },
    dropBefore(sample) {
      const dropped = Math.min(probabilities.length, Math.max(0, Math.floor(sample / FRAME_SAMPLES) - first))
      probabilities = probabilities.slice(dropped)
      first += dropped
    },
    voicedSamples: (fromSample, toSample) =>
      between(fromSample, toSample).filter((probability) => probability >= SPEECH_OFF).length * FRAME_SAMPLES,
    next(isSpeech, fromSample, toSample) {
      const at = between(fromSample, toSample).findIndex((probability) => probability >= SPEECH_OFF === isSpeech)
      const from = Math.max(first, Math.floor(fromSample / FRAME_SAMPLES))
      return at === -1 ? toSample : Math.max(fromSample, (from + at) * FRAME_SAMPLES)
    },
    lowest: (fromSample, toSample) => Math.min(1, ...between(fromSample, toSample)),
  }
}
