import { FRAME_SAMPLES } from '../vad/ears.ts'
import { SPEECH_OFF } from '../vad/segmenter.ts'

/** What the voice detector heard, addressed by sample position. */
export interface Voice {
  /** Samples in frames of speech between two positions. */
  voicedSamples(fromSample: number, toSample: number): number
  /** Where the first frame between two positions begins that is of speech, or is not; the second one where there is none. */
  next(isSpeech: boolean, fromSample: number, toSample: number): number
  /** The least likely frame between two positions; 1 where there is none. */
  lowest(fromSample: number, toSample: number): number
}

/** Its recent judgements. */
export interface VoiceTrack extends Voice {
  append(probability: number): void
  dropBefore(sample: number): void
  /** What was heard between two positions, for whoever asks when it is dropped here. */
  copy(fromSample: number, toSample: number): Voice
}

export function createVoiceTrack(): VoiceTrack {
  return trackFrom(0, [])
}

function trackFrom(firstFrame: number, frames: number[]): VoiceTrack {
  let first = firstFrame
  let probabilities = frames

  function frameAt(sample: number): number {
    return Math.max(first, Math.floor(sample / FRAME_SAMPLES))
  }

  function between(fromSample: number, toSample: number): number[] {
    return probabilities.slice(frameAt(fromSample) - first, Math.max(0, Math.ceil(toSample / FRAME_SAMPLES) - first))
  }

  return {
    append(probability) {
      probabilities.push(probability)
    },
    dropBefore(sample) {
      const dropped = Math.min(probabilities.length, frameAt(sample) - first)
      probabilities = probabilities.slice(dropped)
      first += dropped
    },
    copy: (fromSample, toSample) => trackFrom(frameAt(fromSample), between(fromSample, toSample)),
    voicedSamples: (fromSample, toSample) =>
      between(fromSample, toSample).filter((probability) => probability >= SPEECH_OFF).length * FRAME_SAMPLES,
    next(isSpeech, fromSample, toSample) {
      const at = between(fromSample, toSample).findIndex((probability) => probability >= SPEECH_OFF === isSpeech)
      return at === -1 ? toSample : Math.max(fromSample, (frameAt(fromSample) + at) * FRAME_SAMPLES)
    },
    lowest: (fromSample, toSample) => Math.min(1, ...between(fromSample, toSample)),
  }
}
