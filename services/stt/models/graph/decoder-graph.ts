import { createGraph, type GraphBuilder } from '../onnx-writer.ts'
import type { Weights } from '../source.ts'
import type { AlignmentHead, WhisperDimensions } from '../manifest.ts'
import { quantiseColumns, transpose } from '../quantise.ts'
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

export interface DecoderGraphOptions {
  readonly dimensions: WhisperDimensions
  readonly precision: Precision
  readonly alignmentHeads: readonly AlignmentHead[]
}

/**
 * One step, or several tokens at once.
 *
 * Inputs: `tokens` [batch, steps], `positions` [steps] of these tokens in the text, `rows` [rows] whose logits are
 * wanted (of one step the only one; of a prompt or a draft any), per layer `past_key_i` and `past_value_i`
 * [batch, heads, past, 64], `cross_key_i`, `cross_value_i` and `cross_bias` of the encoder.
 * Outputs: `logits` [batch, rows, vocabulary], logarithms of probabilities, `alignment` [batch, alignment heads, steps,
 * positions] in the order of layers and heads, `present_key_i` and `present_value_i` [batch, heads, past + steps, 64].
 */
export async function decoderGraph(weights: Weights, options: DecoderGraphOptions): Promise<GraphBuilder> {
  const { dimensions, precision } = options
  const { heads, decoderLayers, vocabulary } = dimensions
  const graph = createGraph('whisper decoder')
  const context: LayerContext = { graph, weights, precision }

  const tokens = graph.input('tokens', 'int64', ['batch', 'steps'])
  const positions = graph.input('positions', 'int64', ['steps'])
  const rows = graph.input('rows', 'int64', ['rows'])
  const bias = graph.input('cross_bias', 'float32', ['positions'])
  const table = await tokenTable(context)
  const positionTable = 'decoder/position_encodings/encodings'
  const offsets = graph.constant(positionTable, await weights.read(positionTable))
  let hidden = graph.node('Add', [table.embed(tokens), graph.node('Gather', [offsets, positions])])

  const alignment: string[] = []
  for (let layer = 0; layer < decoderLayers; layer += 1) {
    const name = `decoder/layer_${layer}`
    hidden = graph.node('Add', [hidden, await selfAttention(context, { layer, heads, hidden })])
    const cross = await crossAttention(context, { layer, heads, hidden, bias })
    hidden = graph.node('Add', [hidden, cross.output])
    hidden = await feedForward(context, `${name}/ffn`, hidden)
    const chosen = options.alignmentHeads.filter((head) => head.layer === layer).map(({ head }) => head)
    if (chosen.length > 0) {
      alignment.push(graph.node('Gather', [cross.attention, graph.ints(...chosen)], { attributes: { axis: 1 } }))
    }
  }

  graph.node('Concat', alignment, { attributes: { axis: 1 }, as: 'alignment' })
  graph.output('alignment', 'float32', ['batch', options.alignmentHeads.length, 'steps', 'positions'])
  const wanted = graph.node('Gather', [hidden, rows], { attributes: { axis: 1 } })
  const final = await layerNorm(context, 'decoder/layer_norm', wanted)
  graph.node('LogSoftmax', [table.project(final)], { attributes: { axis: -1 }, as: 'logits' })
  graph.output('logits', 'float32', ['batch', 'rows', vocabulary])
  return graph
}

interface AttentionInput {
  readonly layer: number
  readonly heads: number
  readonly hidden: string
}

async function selfAttention(context: LayerContext, { layer, heads, hidden }: AttentionInput): Promise<string> {
  const { graph } = context
  const name = `decoder/layer_${layer}/self_attention`
  const cached = ['batch', heads, 'past', HEAD_SIZE]
  const pastKey = graph.input(`past_key_${layer}`, 'float32', cached)
  const pastValue = graph.input(`past_value_${layer}`, 'float32', cached)

  const normal = await layerNorm(context, `${name}/layer_norm`, hidden)
  const parts = splitLast(graph, await linear(context, `${name}/linear_0`, normal), 3)
  const [attended = '', presentKey = '', presentValue = ''] = graph.nodes(
    'ms:MultiHeadAttention',
    [...parts, '', '', '', pastKey, pastValue],
    { attributes: { num_heads: heads, unidirectional: 1 }, outputs: 3 },
  )
  graph.node('Identity', [presentKey], { as: `present_key_${layer}` })
  graph.node('Identity', [presentValue], { as: `present_value_${layer}` })
  graph.output(`present_key_${layer}`, 'float32', ['batch', heads, 'total', HEAD_SIZE])
  graph.output(`present_value_${layer}`, 'float32', ['batch', heads, 'total', HEAD_SIZE])
  return linear(context, `${name}/linear_1`, attended)
}

/** Plain operators: the attention itself is needed for word times, and they are as fast as the fused one. */
async function crossAttention(
  context: LayerContext,
  { layer, heads, hidden, bias }: AttentionInput & { readonly bias: string },
): Promise<{ readonly output: string; readonly attention: string }> {
  const { graph } = context
  const name = `decoder/layer_${layer}/attention`
  const keys = graph.input(`cross_key_${layer}`, 'float32', ['batch', heads, HEAD_SIZE, 'positions'])
  const values = graph.input(`cross_value_${layer}`, 'float32', ['batch', heads, 'positions', HEAD_SIZE])

  const normal = await layerNorm(context, `${name}/layer_norm`, hidden)
  const query = await linear(context, `${name}/linear_0`, normal, ATTENTION_SCALE)
  const scores = graph.node('Add', [graph.node('MatMul', [toHeads(graph, query, 'time first'), keys]), bias])
  const attention = graph.node('Softmax', [scores], { attributes: { axis: -1 } })
  const mixed = graph.node('Transpose', [graph.node('MatMul', [attention, values])], {
    attributes: { perm: [0, 2, 1, 3] },
  })
  const flat = graph.node('Reshape', [mixed, graph.ints(0, 0, -1)])
  return { output: await linear(context, `${name}/linear_2`, flat), attention }
}

interface TokenTable {
  embed(tokens: string): string
  project(hidden: string): string
}

/** Whisper's output head is its embedding table, so one copy serves both. */
async function tokenTable({ graph, weights, precision }: LayerContext): Promise<TokenTable> {
  const name = 'decoder/embeddings/weight'
  const rows = await weights.read(name)
  if (precision === 'fp32') {
    const table = graph.constant(name, transpose(rows))
    return {
      embed: (tokens) => gatherColumns(graph, table, tokens),
      project: (hidden) => graph.node('MatMul', [hidden, table]),
    }
  }
  const { columns, scales } = quantiseColumns(rows)
  const table = graph.constant(name, columns)
  const scale = graph.constant(`${name}_scale`, scales)
  return {
    embed(tokens) {
      const whole = graph.node('Cast', [gatherColumns(graph, table, tokens)], { attributes: { to: 1 } })
      const factors = graph.node('Unsqueeze', [graph.node('Gather', [scale, tokens]), graph.ints(-1)])
      return graph.node('Mul', [whole, factors])
    },
    project: (hidden) => graph.node('ms:DynamicQuantizeMatMul', [hidden, table, scale]),
  }
}

/** Columns of [state, vocabulary] for tokens [batch, steps] → [batch, steps, state]. */
function gatherColumns(graph: GraphBuilder, table: string, tokens: string): string {
  const picked = graph.node('Gather', [table, tokens], { attributes: { axis: 1 } })
  return graph.node('Transpose', [picked], { attributes: { perm: [1, 2, 0] } })
}
