import type { ModelManifest, WhisperDimensions } from '../models/manifest.ts'
import { createDecoder } from '../whisper/decoder/decoder.ts'
import { encode } from '../whisper/encoder.ts'
import type { Sessions } from '../whisper/sessions.ts'
import { FRAMES_PER_POSITION } from '../whisper/window-positions.ts'

/** One second of audio: enough to run every operator, and little for software that plays a GPU. */
const FRAMES = 100

/** Steps of one token after the first ones, as most of decoding is. */
const STEPS = 2

/**
 * A real inference: a window through the encoder, some tokens through the decoder.
 *
 * @returns the logits after the last token
 * @throws Error when a number of them is none
 */
export async function warmUp({ encoder, decoder }: Sessions, manifest: ModelManifest): Promise<Float32Array> {
  const { dimensions, tokens } = manifest
  const audio = await encode(encoder, melOf(dimensions), dimensions)
  const decoding = createDecoder(decoder, dimensions).start(audio)
  let logits = await decoding.feed([tokens.startOfTranscript, tokens.noTimestamps], 1)
  for (let step = 0; step < STEPS; step += 1) logits = await decoding.feed([step], 1)
  const [last = new Float32Array()] = logits
  if (last.length === dimensions.vocabulary && last.every(Number.isFinite)) return last.slice()
  throw new Error('the model answers with something else than numbers')
}

/** Neither speech nor flat: every band and every frame has its own value within what log-mel spectrograms have. */
function melOf({ mels, audioPositions }: WhisperDimensions): Float32Array {
  const frames = Math.min(FRAMES, FRAMES_PER_POSITION * audioPositions)
  return Float32Array.from({ length: mels * frames }, (_, index) => Math.sin(index) * Math.cos(index / frames))
}
