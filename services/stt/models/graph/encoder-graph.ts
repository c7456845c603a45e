import { createGraph, type GraphBuilder } from '../onnx-writer.ts'
import type { Weights } from '../source.ts'
import type { WhisperDimensions } from '../manifest.ts'
import {
  feedForward,
  HEAD_SIZE,
  layerNorm,
  linear,
  splitLast,
  toHeads,
  type LayerContext,
  type Precision,
} from './layers.ts'

/**
 * mel [batch, mels, frames] → hidden [batch, frames / 2, state], and for each decoder layer what its cross-attention
 * needs: `cross_key_i` [batch, heads, 64, positions], already transposed, and `cross_value_i` [batch, heads, positions,
 * 64]. Frames may be any even number up to twice the positions of the model.
 */
export async function encoderGraph(
  weights: Weights,
  dimensions: WhisperDimensions,
  precision: Precision,
): Promise<GraphBuilder> {
  const graph = createGraph('whisper encoder')
  const context: LayerContext = { graph, weights, precision }
  const { mels, state, heads, encoderLayers, decoderLayers } = dimensions

  const mel = graph.input('mel', 'float32', ['batch', mels, 'frames'])
  const narrow = await convolution(context, 'encoder/conv1', mel, 1)
  const halved = await convolution(context, 'encoder/conv2', narrow, 2)
  const sequence = graph.node('Transpose', [halved], { attributes: { perm: [0, 2, 1] } })
  let hidden = await addPositions(context, sequence)

  for (let layer = 0; layer < encoderLayers; layer += 1) {
    const name = `encoder/layer_${layer}`
    const normal = await layerNorm(context, `${name}/self_attention/layer_norm`, hidden)
    const mixed = await linear(context, `${name}/self_attention/linear_0`, normal)
    const attended = graph.node('ms:MultiHeadAttention', splitLast(graph, mixed, 3), {
      attributes: { num_heads: heads },
    })
    hidden = graph.node('Add', [hidden, await linear(context, `${name}/self_attention/linear_1`, attended)])
    hidden = await feedForward(context, `${name}/ffn`, hidden)
  }

  const final = graph.node('Identity', [await layerNorm(context, 'encoder/layer_norm', hidden)], { as: 'hidden' })
  graph.output('hidden', 'float32', ['batch', 'positions', state])
  for (let layer = 0; layer < decoderLayers; layer += 1) {
    const both = await linear(context, `decoder/layer_${layer}/attention/linear_1`, final)
    const [keys = '', values = ''] = splitLast(graph, both, 2)
    graph.node('Identity', [toHeads(graph, keys, 'time last')], { as: `cross_key_${layer}` })
    graph.node('Identity', [toHeads(graph, values, 'time first')], { as: `cross_value_${layer}` })
    graph.output(`cross_key_${layer}`, 'float32', ['batch', heads, HEAD_SIZE, 'positions'])
    graph.output(`cross_value_${layer}`, 'float32', ['batch', heads, 'positions', HEAD_SIZE])
  }
  return graph
}

async function convolution(
  { graph, weights }: LayerContext,
  name: string,
  input: string,
  stride: number,
): Promise<string> {
  const weight = graph.constant(`${name}/weight`, await weights.read(`${name}/weight`))
  const bias = graph.constant(`${name}/bias`, await weights.read(`${name}/bias`))
  const output = graph.node('Conv', [input, weight, bias], {
    attributes: { kernel_shape: [3], strides: [stride], pads: [1, 1] },
  })
  return graph.node('Gelu', [output])
}

/** The positional table is cut to the length of the input, which makes short windows cheap. */
async function addPositions({ graph, weights }: LayerContext, sequence: string): Promise<string> {
  const table = 'encoder/position_encodings/encodings'
  const positions = graph.constant(table, await weights.read(table))
  const length = graph.node('Shape', [sequence], { attributes: { start: 1, end: 2 } })
  return graph.node('Add', [sequence, graph.node('Slice', [positions, graph.ints(0), length, graph.ints(0)])])
}
