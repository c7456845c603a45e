import { Tensor, type InferenceSession } from 'onnxruntime-node'
import type { WhisperDimensions } from '../models/manifest.ts'

/** What the decoder sees of a window: keys and values of each layer's cross-attention. */
export interface EncodedAudio {
  readonly positions: number
  /** Tensors by the name of the decoder's input. */
  readonly crossAttention: InferenceSession.FeedsType
}

/** @param mel log-mel spectrogram [mels, frames] */
export async function encode(
  session: InferenceSession,
  mel: Float32Array,
  dimensions: WhisperDimensions,
): Promise<EncodedAudio> {
  const frames = mel.length / dimensions.mels
  const wanted = session.outputNames.filter((name) => name.startsWith('cross_'))
  const crossAttention = await session.run({ mel: new Tensor('float32', mel, [1, dimensions.mels, frames]) }, wanted)
  return { positions: frames / 2, crossAttention }
}
