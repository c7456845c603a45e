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
} from '../../../services/stt/models/graph/layers.ts'
import type { WhisperDimensions } from '../../../services/stt/models/manifest.ts'
import { createGraph, type GraphBuilder } from '../../../services/stt/models/onnx-writer.ts'
import { quantiseColumns, transpose } from '../../../services/stt/models/quantise.ts'
import type { Weights } from '../../../services/stt/models/source.ts'

// Names and shapes of inputs and outputs are those of optimum's exports, which transformers.js reads. Operators are the
// ones that ONNX Runtime fuses such exports into, so the peer has no less than its own conversion would give it.

/** `input_features` [batch, mels, 3000] → `last_hidden_state` [batch, 1500, state]. */
export async function hfEncoder(
  weights: Weights,
  dimensions: WhisperDimensions,
  precision: Precision,
): Promise<GraphBuilder> {
  const graph = createGraph('encoder')
  const context: LayerContext = { graph, weights, precision }
  const { mels, state, heads, encoderLayers } = dimensions
  const features = graph.input('input_features', 'float32', ['batch_size', mels, 3000])
  const narrow = await convolution(context, 'encoder/conv1', { input: features, stride: 1 })
  const halved = await convolution(context, 'encoder/conv2', { input: narrow, stride: 2 })
  const sequence = graph.node('Transpose', [halved], { attributes: { perm: [0, 2, 1] } })
  const table = 'encoder/position_encodings/encodings'
  let hidden = graph.node('Add', [sequence, graph.constant(table, await weights.read(table))])
  for (let layer = 0; layer < encoderLayers; layer += 1) {
    const name = `encoder/layer_${layer}`
    const normal = await layerNorm(context, `${name}/self_attention/layer_norm`, hidden)
    const mixed = splitLast(graph, await linear(context, `${name}/self_attention/linear_0`, normal), 3)
    const attended = graph.node('ms:MultiHeadAttention', mixed, { attributes: { num_heads: heads } })
    hidden = graph.node('Add', [hidden, await linear(context, `${name}/self_attention/linear_1`, attended)])
    hidden = await feedForward(context, `${name}/ffn`, hidden)
  }
  graph.node('Identity', [await layerNorm(context, 'encoder/layer_norm', hidden)], { as: 'last_hidden_state' })
  graph.output('last_hidden_state', 'float32', ['batch_size', 1500, state])
  return graph
}

async function convolution(
  { graph, weights }: LayerContext,
  name: string,
  { input, stride }: { readonly input: string; readonly stride: number },
): Promise<string> {
  const weight = graph.constant(`${name}/weight`, await weights.read(`${name}/weight`))
  const bias = graph.constant(`${name}/bias`, await weights.read(`${name}/bias`))
  const attributes = { kernel_shape: [3], strides: [stride], pads: [1, 1] }
  return graph.node('Gelu', [graph.node('Conv', [input, weight, bias], { attributes })])
}

/**
 * First step and later ones in one graph: `input_ids`, `encoder_hidden_states`, `past_key_values.N.….key|value`, which
 * are empty in the first step → `logits`, `present.N.….key|value`, of the encoder only in the first step.
 */
export async function hfDecoder(
  weights: Weights,
  dimensions: WhisperDimensions,
  precision: Precision,
): Promise<GraphBuilder> {
  const graph = createGraph('decoder')
  const context: LayerContext = { graph, weights, precision }
  const { state, decoderLayers, vocabulary } = dimensions
  const tokens = graph.input('input_ids', 'int64', ['batch_size', 'decoder_sequence_length'])
  const encoded = graph.input('encoder_hidden_states', 'float32', ['batch_size', 'encoder_sequence_length', state])
  const pasts = Array.from({ length: decoderLayers }, (_, layer) => pastOf(graph, layer, dimensions.heads))
  const [first] = pasts
  if (!first) throw new Error('A decoder has layers.')

  // The encoder's output is looked at in the first step only: later it is cut to nothing, and so is what is made of it.
  const isKnown = graph.node('Min', [lengthOf(graph, first.crossKey, 2), graph.ints(1)])
  const encodedLength = lengthOf(graph, encoded, 1)
  const wanted = graph.node('Mul', [encodedLength, graph.node('Sub', [graph.ints(1), isKnown])])
  const fresh = graph.node('Slice', [encoded, graph.ints(0), wanted, graph.ints(1)])

  const table = await tokenTable(context)
  const offset = lengthOf(graph, first.key, 2)
  const end = graph.node('Add', [offset, lengthOf(graph, tokens, 1)])
  const positionTable = 'decoder/position_encodings/encodings'
  const positions = graph.constant(positionTable, await weights.read(positionTable))
  let hidden = graph.node('Add', [table.embed(tokens), graph.node('Slice', [positions, offset, end, graph.ints(0)])])
  for (const [layer, past] of pasts.entries()) {
    const attention = { layer, heads: dimensions.heads, past }
    hidden = graph.node('Add', [hidden, await selfAttention(context, { ...attention, hidden })])
    hidden = graph.node('Add', [hidden, await crossAttention(context, { ...attention, hidden, fresh })])
    hidden = await feedForward(context, `decoder/layer_${layer}/ffn`, hidden)
  }
  graph.node('Identity', [table.project(await layerNorm(context, 'decoder/layer_norm', hidden))], { as: 'logits' })
  graph.output('logits', 'float32', ['batch_size', 'decoder_sequence_length', vocabulary])
  return graph
}

interface Past {
  readonly key: string
  readonly value: string
  readonly crossKey: string
  readonly crossValue: string
}

function pastOf(graph: GraphBuilder, layer: number, heads: number): Past {
  const input = (name: string, length: string): string =>
    graph.input(`past_key_values.${layer}.${name}`, 'float32', ['batch_size', heads, length, HEAD_SIZE])
  return {
    key: input('decoder.key', 'past_decoder_sequence_length'),
    value: input('decoder.value', 'past_decoder_sequence_length'),
    crossKey: input('encoder.key', 'past_encoder_sequence_length'),
    crossValue: input('encoder.value', 'past_encoder_sequence_length'),
  }
}

interface AttentionInput {
  readonly layer: number
  readonly heads: number
  readonly past: Past
  readonly hidden: string
}

async function selfAttention(context: LayerContext, { layer, heads, past, hidden }: AttentionInput): Promise<string> {
  const { graph } = context
  const name = `decoder/layer_${layer}/self_attention`
  const normal = await layerNorm(context, `${name}/layer_norm`, hidden)
  const parts = splitLast(graph, await linear(context, `${name}/linear_0`, normal), 3)
  const [attended = '', key = '', value = ''] = graph.nodes(
    'ms:MultiHeadAttention',
    [...parts, '', '', '', past.key, past.value],
    { attributes: { num_heads: heads, unidirectional: 1 }, outputs: 3 },
  )
  present(graph, `${layer}.decoder.key`, { value: key, heads })
  present(graph, `${layer}.decoder.value`, { value, heads })
  return linear(context, `${name}/linear_1`, attended)
}

/** Over what is kept and what is fresh, of which one is always empty: nothing is copied, nothing computed twice. */
async function crossAttention(
  context: LayerContext,
  { layer, heads, past, hidden, fresh }: AttentionInput & { readonly fresh: string },
): Promise<string> {
  const { graph } = context
  const name = `decoder/layer_${layer}/attention`
  const both = splitLast(graph, await linear({ ...context, precision: 'fp32' }, `${name}/linear_1`, fresh), 2)
  // Of no length in later steps, so no size may be left to be guessed.
  const [key = '', value = ''] = both.map((each) =>
    graph.node('Transpose', [graph.node('Reshape', [each, graph.ints(0, 0, heads, HEAD_SIZE)])], {
      attributes: { perm: [0, 2, 1, 3] },
    }),
  )
  present(graph, `${layer}.encoder.key`, { value: key, heads })
  present(graph, `${layer}.encoder.value`, { value, heads })

  const normal = await layerNorm(context, `${name}/layer_norm`, hidden)
  const query = toHeads(graph, await linear(context, `${name}/linear_0`, normal, ATTENTION_SCALE), 'time first')
  const scores = [past.crossKey, key].map((keys) =>
    graph.node('ms:FusedMatMul', [query, keys], { attributes: { transB: 1 } }),
  )
  const attention = graph.node('Softmax', [graph.node('Concat', scores, { attributes: { axis: -1 } })], {
    attributes: { axis: -1 },
  })
  const keptLength = lengthOf(graph, past.crossKey, 2)
  const freshLength = lengthOf(graph, key, 2)
  const lengths = graph.node('Concat', [keptLength, freshLength], { attributes: { axis: 0 } })
  const shares = graph.nodes('Split', [attention, lengths], { attributes: { axis: -1 }, outputs: 2 })
  const [kept = '', added = ''] = [past.crossValue, value].map((values, index) =>
    graph.node('MatMul', [shares[index] ?? '', values]),
  )
  const mixed = graph.node('Transpose', [graph.node('Add', [kept, added])], { attributes: { perm: [0, 2, 1, 3] } })
  return linear(context, `${name}/linear_2`, graph.node('Reshape', [mixed, graph.ints(0, 0, -1)]))
}

function present(
  graph: GraphBuilder,
  name: string,
  { value, heads }: { readonly value: string; readonly heads: number },
): void {
  graph.node('Identity', [value], { as: `present.${name}` })
  graph.output(`present.${name}`, 'float32', ['batch_size', heads, `${name} length`, HEAD_SIZE])
}

function lengthOf(graph: GraphBuilder, input: string, axis: number): string {
  return graph.node('Shape', [input], { attributes: { start: axis, end: axis + 1 } })
}

interface TokenTable {
  embed(tokens: string): string
  project(hidden: string): string
}

/** Two copies, as in exports: rows to look up, columns to multiply with. */
async function tokenTable({ graph, weights, precision }: LayerContext): Promise<TokenTable> {
  const name = 'decoder/embeddings/weight'
  const rows = await weights.read(name)
  const table = graph.constant(name, rows)
  const embed = (tokens: string): string => graph.node('Gather', [table, tokens], { attributes: { axis: 0 } })
  if (precision === 'fp32') {
    const columns = graph.constant('head', transpose(rows))
    return { embed, project: (hidden) => graph.node('MatMul', [hidden, columns]) }
  }
  const { columns, scales } = quantiseColumns(rows)
  const head = [graph.constant('head', columns), graph.constant('head_scale', scales)]
  return { embed, project: (hidden) => graph.node('ms:DynamicQuantizeMatMul', [hidden, ...head]) }
}
