import { ModelError } from './errors.ts'
import { HEAD_SIZE } from './graph/layers.ts'
import type { WhisperDimensions } from './manifest.ts'
import type { Weights } from './source.ts'

/** Twice the layers of the largest Whisper. */
const MAX_LAYERS = 64

/** Sizes follow from the tensors, so any Whisper fits. @throws ModelError when a tensor is missing or of another shape */
export function readDimensions(file: string, weights: Weights): WhisperDimensions {
  const [state = 0, mels = 0] = weights.shape('encoder/conv1/weight')
  const [audioPositions = 0] = weights.shape('encoder/position_encodings/encodings')
  const [textPositions = 0] = weights.shape('decoder/position_encodings/encodings')
  const [vocabulary = 0] = weights.shape('decoder/embeddings/weight')
  const dimensions: WhisperDimensions = {
    mels,
    audioPositions,
    textPositions,
    state,
    heads: state / HEAD_SIZE,
    encoderLayers: countLayers(weights, 'encoder'),
    decoderLayers: countLayers(weights, 'decoder'),
    vocabulary,
  }
  assertLayout(file, weights, dimensions)
  return dimensions
}

function countLayers(weights: Weights, half: 'encoder' | 'decoder'): number {
  let count = 0
  while (count < MAX_LAYERS && weights.has(`${half}/layer_${count}/self_attention/linear_0/weight`)) count += 1
  return count
}

function assertLayout(file: string, weights: Weights, dimensions: WhisperDimensions): void {
  if (!Number.isInteger(dimensions.heads) || dimensions.heads === 0) {
    throw new ModelError(`${file} is no Whisper: its width of ${dimensions.state} is no multiple of ${HEAD_SIZE}.`)
  }
  for (const [name, expected] of whisperLayout(dimensions)) {
    const shape = weights.shape(name)
    if (shape.length === expected.length && shape.every((size, axis) => size === expected[axis])) continue
    throw new ModelError(`${file}: "${name}" has the shape [${shape.join(', ')}] instead of [${expected.join(', ')}].`)
  }
}

type Entry = readonly [name: string, shape: readonly number[]]

/** Every tensor of a Whisper of these sizes, with its shape. */
export function whisperLayout(dimensions: WhisperDimensions): Entry[] {
  const { mels, audioPositions, textPositions, state, vocabulary, encoderLayers, decoderLayers } = dimensions
  return [
    ['encoder/conv1/weight', [state, mels, 3]],
    ['encoder/conv1/bias', [state]],
    ['encoder/conv2/weight', [state, state, 3]],
    ['encoder/conv2/bias', [state]],
    ['encoder/position_encodings/encodings', [audioPositions, state]],
    ...norm('encoder/layer_norm', state),
    ...layers(encoderLayers, (layer) => blocks(`encoder/layer_${layer}`, state)),
    ['decoder/embeddings/weight', [vocabulary, state]],
    ['decoder/position_encodings/encodings', [textPositions, state]],
    ...norm('decoder/layer_norm', state),
    ...layers(decoderLayers, (layer) => [
      ...blocks(`decoder/layer_${layer}`, state),
      ...attention(`decoder/layer_${layer}/attention`, state, [state, 2 * state, state]),
    ]),
  ]
}

function layers(count: number, entries: (layer: number) => Entry[]): Entry[] {
  return Array.from({ length: count }, (_, layer) => entries(layer)).flat()
}

function blocks(name: string, state: number): Entry[] {
  return [
    ...attention(`${name}/self_attention`, state, [3 * state, state]),
    ...norm(`${name}/ffn/layer_norm`, state),
    ...linear(`${name}/ffn/linear_0`, 4 * state, state),
    ...linear(`${name}/ffn/linear_1`, state, 4 * state),
  ]
}

function attention(name: string, state: number, outputs: readonly number[]): Entry[] {
  return [
    ...norm(`${name}/layer_norm`, state),
    ...outputs.flatMap((output, index) => linear(`${name}/linear_${index}`, output, state)),
  ]
}

function norm(name: string, size: number): Entry[] {
  return [
    [`${name}/gamma`, [size]],
    [`${name}/beta`, [size]],
  ]
}

function linear(name: string, output: number, input: number): Entry[] {
  return [
    [`${name}/weight`, [output, input]],
    [`${name}/bias`, [output]],
  ]
}
