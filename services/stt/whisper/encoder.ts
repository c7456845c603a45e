import { Tensor } from 'onnxruntime-node'
import type { WhisperDimensions } from '../models/manifest.ts'
import type { Network } from './sessions.ts'
import type { Tensors } from './tensors.ts'
import { everyPosition, FRAMES_PER_POSITION, type WindowPositions } from './window-positions.ts'

/** What the decoder sees of a window: keys and values of each layer's cross-attention. */
export interface EncodedAudio {
  readonly positions: number
  /** By the name of the decoder's input. */
  readonly crossAttention: Tensors
}

/**
 * @param mel log-mel spectrogram [mels, frames]
 * @param window which positions to work on; every one of the spectrogram's when absent
 * @param room memory for what comes of them; new memory when absent
 */
export async function encode(
  network: Network,
  mel: Float32Array,
  dimensions: WhisperDimensions,
  window?: WindowPositions,
  room?: (positions: number) => Tensors,
): Promise<EncodedAudio> {
  const feeds = encoderFeeds(mel, dimensions, window)
  const positions = feeds.places.size
  const given = room?.(positions)
  const made = await network.run(feeds, given ?? network.outputNames.filter((name) => name.startsWith('cross_')))
  return { positions, crossAttention: given ?? made }
}

/** The encoder's inputs. */
export function encoderFeeds(
  mel: Float32Array,
  { mels }: WhisperDimensions,
  window?: WindowPositions,
): Readonly<Record<'mel' | 'sources' | 'places' | 'counts', Tensor>> {
  const frames = mel.length / mels
  const { sources, places, counts } = window ?? everyPosition(frames / FRAMES_PER_POSITION)
  return {
    mel: new Tensor('float32', mel, [1, mels, frames]),
    sources: new Tensor('int64', BigInt64Array.from(sources, BigInt), [sources.length]),
    places: new Tensor('int64', BigInt64Array.from(places, BigInt), [places.length]),
    counts: new Tensor('float32', Float32Array.from(counts), [counts.length]),
  }
}
