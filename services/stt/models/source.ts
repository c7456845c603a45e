import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ct2Model } from './ct2-reader.ts'
import { ModelError } from './errors.ts'
import { HEAD_SIZE } from './graph/layers.ts'
import type { AlignmentHead, WhisperDimensions } from './manifest.ts'

/** The members of `config.json` that decoding needs. */
export interface SourceConfig {
  readonly alignmentHeads: readonly AlignmentHead[]
  readonly suppressed: readonly number[]
  readonly suppressedFirst: readonly number[]
}

/** Sizes follow from the tensors, so any Whisper fits. */
export function readDimensions(weights: Ct2Model): WhisperDimensions {
  const [state = 0, mels = 0] = weights.shape('encoder/conv1/weight')
  const [audioPositions = 0] = weights.shape('encoder/position_encodings/encodings')
  const [textPositions = 0] = weights.shape('decoder/position_encodings/encodings')
  const [vocabulary = 0] = weights.shape('decoder/embeddings/weight')
  return {
    mels,
    audioPositions,
    textPositions,
    state,
    heads: state / HEAD_SIZE,
    encoderLayers: countLayers(weights, 'encoder'),
    decoderLayers: countLayers(weights, 'decoder'),
    vocabulary,
  }
}

function countLayers(weights: Ct2Model, half: 'encoder' | 'decoder'): number {
  let layers = 0
  while (weights.has(`${half}/layer_${layers}/self_attention/linear_0/weight`)) layers += 1
  return layers
}

/** @throws {@link ModelError} when `config.json` is missing or of another kind. */
export async function loadSourceConfig(folder: string, dimensions: WhisperDimensions): Promise<SourceConfig> {
  const path = join(folder, 'config.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ModelError(`${path} is missing: a faster-whisper folder has one.`, { cause: error })
  })
  let config: Partial<Record<string, unknown>>
  try {
    config = JSON.parse(text) as typeof config
  } catch (error) {
    throw new ModelError(`${path} is not JSON.`, { cause: error })
  }
  return {
    alignmentHeads: alignmentHeads(path, config['alignment_heads'], dimensions),
    suppressed: numbers(path, 'suppress_ids', config['suppress_ids']),
    suppressedFirst: numbers(path, 'suppress_ids_begin', config['suppress_ids_begin']),
  }
}

function alignmentHeads(path: string, value: unknown, dimensions: WhisperDimensions): AlignmentHead[] {
  if (value === undefined) return headsOfUpperHalf(dimensions)
  const isInside = (pair: unknown): pair is [number, number] =>
    Array.isArray(pair) &&
    pair.length === 2 &&
    isBelow(pair[0], dimensions.decoderLayers) &&
    isBelow(pair[1], dimensions.heads)
  if (!Array.isArray(value) || value.length === 0 || !value.every(isInside)) {
    throw new ModelError(`${path}: "alignment_heads" must be pairs of a decoder layer and a head of this model.`)
  }
  return value
    .map(([layer, head]) => ({ layer, head }))
    .toSorted((one, other) => one.layer - other.layer || one.head - other.head)
}

function isBelow(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < limit
}

/** Whisper's own choice for a model whose heads were never measured. */
function headsOfUpperHalf({ decoderLayers, heads }: WhisperDimensions): AlignmentHead[] {
  const first = Math.floor(decoderLayers / 2)
  return Array.from({ length: (decoderLayers - first) * heads }, (_, index) => ({
    layer: first + Math.floor(index / heads),
    head: index % heads,
  }))
}

function numbers(path: string, key: string, value: unknown): number[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((item) => Number.isInteger(item))) return value
  throw new ModelError(`${path}: "${key}" must be a list of token ids.`)
}
