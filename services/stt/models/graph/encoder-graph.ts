import { createGraph, type GraphBuilder } from '../onnx-writer.ts'
import type { Weights } from '../source.ts'
import type { WhisperDimensions } from '../manifest.ts'
import {
  ATTENTION_SCALE,
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
 * Inputs: `mel` [batch, mels, frames]; and of the positions to work on `sources` [positions], which two frames of `mel`
 * each holds (0: the first two); `places` [positions], where in the model's window it lies; `counts` [positions], for how
 * many positions it stands: attention to it weighs as if it were there so many times.
 * Outputs: `hidden` [batch, positions, state], and for each decoder layer what its cross-attention needs: `cross_key_i`
 * [batch, heads, 64, positions], already transposed, and `cross_value_i` [batch, heads, positions, 64]; for all of them
 * `cross_bias` [positions], to be added to the scores.
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
  let hidden = await addPlaces(context, sequence)
  const counts = graph.input('counts', 'float32', ['positions'])
  const bias = graph.node('Log', [counts], { as: 'cross_bias' })
  graph.output('cross_bias', 'float32', ['positions'])
  const weigh = weighing(graph, bias, heads)

  for (let layer = 0; layer < encoderLayers; layer += 1) {
    const name = `encoder/layer_${layer}`
    const normal = await layerNorm(context, `${name}/self_attention/layer_norm`, hidden)
    const mixed = await linear(context, `${name}/self_attention/linear_0`, normal)
    const [queries = '', keys = '', values = ''] = splitLast(graph, mixed, 3)
    const attended = graph.node('ms:MultiHeadAttention', [...weigh(queries, keys), values], {
      attributes: { num_heads: heads, scale: { float: ATTENTION_SCALE } },
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

/** The frames of each position, and its place in the window. */
async function addPlaces({ graph, weights }: LayerContext, sequence: string): Promise<string> {
  const sources = graph.input('sources', 'int64', ['positions'])
  const places = graph.input('places', 'int64', ['positions'])
  const name = 'encoder/position_encodings/encodings'
  const table = graph.constant(name, await weights.read(name))
  const chosen = graph.node('Gather', [sequence, sources], { attributes: { axis: 1 } })
  return graph.node('Add', [chosen, graph.node('Gather', [table, places])])
}

/**
 * Adds a bias [positions] to the scores of keys by one more number in each query and key: a mask as large as the scores
 * would keep the fused attention from its fast way.
 */
function weighing(graph: GraphBuilder, bias: string, heads: number): (queries: string, keys: string) => string[] {
  const column = graph.node('Reshape', [bias, graph.ints(1, -1, 1, 1)])
  const perHead = graph.constant('one_per_head', { shape: [heads, 1], values: new Float32Array(heads).fill(1) })
  const ofKeys = graph.node('Mul', [column, perHead])
  // The product with it is scaled as all scores are.
  const unscaled = graph.constant('unscaled', { shape: [1], values: Float32Array.of(1 / ATTENTION_SCALE) })
  const ofQueries = graph.node('Expand', [unscaled, graph.node('Shape', [ofKeys])])
  const widened = (input: string, extra: string): string => {
    const split = graph.node('Reshape', [input, graph.ints(0, 0, heads, HEAD_SIZE)])
    const wide = graph.node('Concat', [split, extra], { attributes: { axis: -1 } })
    return graph.node('Reshape', [wide, graph.ints(0, 0, -1)])
  }
  return (queries, keys) => [widened(queries, ofQueries), widened(keys, ofKeys)]
}
