import { FRAME_SAMPLES } from './ears.ts'

/** Thresholds on the probability of speech: Silero's own recommendation, measured to suit Whisper (speech on, off). */
const SPEECH_ON = 0.5
export const SPEECH_OFF = 0.35

// 64 ms: a click is shorter, a word is not.
const ONSET_FRAMES = 2

/** Where a stream stands between speech and silence. Positions are in samples from the start of the stream. */
export interface VoiceState {
  readonly frame: number
  readonly isSpeaking: boolean
  /** Frames in a row above {@link SPEECH_ON} while not speaking. */
  readonly risingFrames: number
  /** Where the current or last speech started. */
  readonly startSample: number
  /** Where the last frame of speech ended. */
  readonly voicedEndSample: number
}

export const SILENCE: VoiceState = {
  frame: 0,
  isSpeaking: false,
  risingFrames: 0,
  startSample: 0,
  voicedEndSample: 0,
}

/**
 * Takes the judgement of one frame. Speech starts after 64 ms above {@link SPEECH_ON} and is dated back to the first of
 * those frames; a frame stays voiced down to {@link SPEECH_OFF}. Speech ends when `silenceSamples` went by unvoiced.
 */
export function nextVoice(state: VoiceState, probability: number, silenceSamples: number): VoiceState {
  const frame = state.frame + 1
  const endSample = frame * FRAME_SAMPLES
  if (state.isSpeaking) {
    if (probability >= SPEECH_OFF) return { ...state, frame, voicedEndSample: endSample }
    return { ...state, frame, isSpeaking: endSample - state.voicedEndSample < silenceSamples }
  }

  const risingFrames = probability >= SPEECH_ON ? state.risingFrames + 1 : 0
  if (risingFrames < ONSET_FRAMES) return { ...state, frame, risingFrames }
  const startSample = endSample - risingFrames * FRAME_SAMPLES
  return { frame, isSpeaking: true, risingFrames: 0, startSample, voicedEndSample: endSample }
}

/** A stretch of speech, in samples. */
export interface Segment {
  readonly startSample: number
  readonly endSample: number
}

/** The stretches of speech of a whole recording, pauses shorter than `silenceSamples` included in them. */
export function segmentsOf(probabilities: Float32Array, silenceSamples: number): Segment[] {
  const segments: Segment[] = []
  let state = SILENCE
  for (const probability of probabilities) {
    const next = nextVoice(state, probability, silenceSamples)
    if (state.isSpeaking && !next.isSpeaking) segments.push(segmentOf(next))
    state = next
  }
  if (state.isSpeaking) segments.push(segmentOf(state))
  return segments
}

function segmentOf(state: VoiceState): Segment {
  return { startSample: state.startSample, endSample: state.voicedEndSample }
}
