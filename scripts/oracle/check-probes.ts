import { encode, encoderFeeds } from '../../services/stt/whisper/encoder.ts'
import { generate } from '../../services/stt/whisper/text/generate.ts'
import type { WhisperModel } from '../../services/stt/whisper/whisper-model.ts'
import type { Oracle, Probe } from './oracle.ts'
import type { Requirement } from './requirement.ts'

const FRAMES = 3000
const MEL_TOLERANCE = 0.01
const ENCODER_TOLERANCE = 0.02
const PROBABILITY_TOLERANCE = 0.001
/** Whisper writes at most half of its text positions. */
const MAX_TOKENS = 224

/** Single values of the spectrogram and the encoder, and greedy decoding, of the first clip padded with silence. */
export async function checkProbes(model: WhisperModel, { clips, probes }: Oracle): Promise<Requirement[]> {
  const { manifest, sessions, decoder } = model
  const { dimensions, tokens } = manifest
  const samples = clips[0]?.samples ?? new Float32Array(0)
  const mel = model.logMel.compute(samples, FRAMES)
  const { hidden } = await sessions.encoder.run(encoderFeeds(mel, dimensions), ['hidden'])
  const state = hidden?.data instanceof Float32Array ? hidden.data : new Float32Array(0)

  const audio = await encode(sessions.encoder, mel, dimensions)
  const decode = (prompt: readonly number[], timestamps: boolean) =>
    generate(decoder.start(audio), {
      manifest,
      prompt,
      timestamps,
      maxTokens: MAX_TOKENS,
      checkpoint: () => undefined,
    })
  const timed = await decode([tokens.startOfTranscript], true)
  const plain = await decode([tokens.startOfTranscript, tokens.noTimestamps], false)
  const silence = Math.abs(timed.noSpeechProbability - probes.generate_from_sot.no_speech_prob)

  return [
    within('log-mel', MEL_TOLERANCE, { values: mel, columns: FRAMES, probe: probes.log_mel }),
    within('fp32 encoder output', ENCODER_TOLERANCE, {
      values: state,
      columns: dimensions.state,
      probe: probes.encoder_last_hidden_state,
    }),
    sameTokens('fp32 tokens with timestamps, padded with silence', timed.tokens, probes.generate_from_sot.tokens),
    sameTokens('fp32 tokens without timestamps', plain.tokens, probes.generate_without_timestamps.tokens),
    {
      what: `no-speech probability within ${PROBABILITY_TOLERANCE}`,
      isMet: silence <= PROBABILITY_TOLERANCE,
      found: `off by ${silence.toExponential(1)}`,
    },
  ]
}

interface Probed {
  readonly values: Float32Array
  readonly columns: number
  readonly probe: { readonly values: readonly Probe[]; readonly mean: number }
}

function within(what: string, tolerance: number, { values, columns, probe }: Probed): Requirement {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const errors = probe.values.map(([row, column, value]) => Math.abs((values[row * columns + column] ?? NaN) - value))
  const worst = Math.max(...errors, Math.abs(mean - probe.mean))
  return { what: `${what} within ${tolerance}`, isMet: worst <= tolerance, found: `off by ${worst.toExponential(1)}` }
}

function sameTokens(what: string, actual: readonly number[], expected: readonly number[]): Requirement {
  const isMet = JSON.stringify(actual) === JSON.stringify(expected)
  return { what, isMet, found: isMet ? `all ${expected.length} equal` : actual.join(' ') }
}
