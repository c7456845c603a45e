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
 * One step, or several tokens at once, of one text or of several, each about an audio of its own. What is done to each token by
 * itself is done to all of them at once, because it is reading the weights that takes the time; for attention the tokens
 * are dealt to their texts, with as many places in each as the one with most tokens needs.
 *
 * Inputs: `tokens` [steps], of all texts, `positions` [steps] of these tokens in their texts, `rows` [rows] whose
 * logits are wanted; `slots` [texts, width], which token is at each place of a text (any token where there is none), and
 * `places` [steps, 2], of each token its text and its place there; `self_bias` [texts, 1, width, total] and `cross_bias` [texts, 1, 1, positions] of
 * the encoder, to be added to the scores: which of its tokens and positions a text sees; per layer `past_key_i` and
 * `past_value_i` [texts, heads, past, 64], `cross_key_i` and `cross_value_i` of the encoder.
 * Outputs: `logits` [rows, vocabulary], logarithms of probabilities, `alignment` [texts, alignment heads, width,
 * positions] in the order of layers and heads, `present_key_i` and `present_value_i` [texts, heads, past + width, 64].
 */
export async function decoderGraph(weights: Weights, options: DecoderGraphOptions): Promise<GraphBuilder> {
  const { dimensions, precision } = options
  const { heads, decoderLayers, vocabulary } = dimensions
  const graph = createGraph('whisper decoder')
  const context: LayerContext = { graph, weights, precision }

  const tokens = graph.input('tokens', 'int64', ['steps'])
  const positions = graph.input('positions', 'int64', ['steps'])
  const rows = graph.input('rows', 'int64', ['rows'])
  const attention: Attention = {
    heads,
    selfBias: graph.input('self_bias', 'float32', ['texts', 1, 'width', 'total']),
    crossBias: graph.input('cross_bias', 'float32', ['texts', 1, 1, 'positions']),
    ...dealing(graph),
  }
  const table = await tokenTable(context)
  const positionTable = 'decoder/position_encodings/encodings'
  const offsets = graph.constant(positionTable, await weights.read(positionTable))
  let hidden = graph.node('Add', [table.embed(tokens), graph.node('Gather', [offsets, positions])])

  const alignment: string[] = []
  for (let layer = 0; layer < decoderLayers; layer += 1) {
    const name = `decoder/layer_${layer}`
    hidden = graph.node('Add', [hidden, await selfAttention(context, attention, { layer, hidden })])
    const cross = await crossAttention(context, attention, { layer, hidden })
    hidden = graph.node('Add', [hidden, cross.output])
    hidden = await feedForward(context, `${name}/ffn`, hidden)
    const chosen = options.alignmentHeads.filter((head) => head.layer === layer).map(({ head }) => head)
    if (chosen.length > 0) {
      alignment.push(graph.node('Gather', [cross.attention, graph.ints(...chosen)], { attributes: { axis: 1 } }))
    }
  }

  graph.node('Concat', alignment, { attributes: { axis: 1 }, as: 'alignment' })
  graph.output('alignment', 'float32', ['texts', options.alignmentHeads.length, 'width', 'positions'])
  const wanted = graph.node('Gather', [hidden, rows])
  const final = await layerNorm(context, 'decoder/layer_norm', wanted)
  graph.node('LogSoftmax', [table.project(final)], { attributes: { axis: -1 }, as: 'logits' })
  graph.output('logits', 'float32', ['rows', vocabulary])
  return graph
}

/** What attention works with in every layer. */
interface Attention {
  readonly heads: number
  readonly selfBias: string
  readonly crossBias: string
  /** [steps, n] → [texts, width, n]. */
  readonly deal: (input: string) => string
  /** [texts, width, …] → [steps, …]. */
  readonly collect: (input: string) => string
}

function dealing(graph: GraphBuilder): Pick<Attention, 'deal' | 'collect'> {
  const slots = graph.input('slots', 'int64', ['texts', 'width'])
  const places = graph.input('places', 'int64', ['steps', 2])
  return {
    deal: (input) => graph.node('Gather', [input, slots]),
    collect: (input) => graph.node('GatherND', [input, places]),
  }
}

interface AttentionInput {
  readonly layer: number
  readonly hidden: string
}

async function selfAttention(
  context: LayerContext,
  { heads, selfBias, deal, collect }: Attention,
  { layer, hidden }: AttentionInput,
): Promise<string> {
  const { graph } = context
  const name = `decoder/layer_${layer}/self_attention`
  const cached = ['texts', heads, 'past', HEAD_SIZE]
  const pastKey = graph.input(`past_key_${layer}`, 'float32', cached)
  const pastValue = graph.input(`past_value_${layer}`, 'float32', cached)

  const normal = await layerNorm(context, `${name}/layer_norm`, hidden)
  const parts = splitLast(graph, deal(await linear(context, `${name}/linear_0`, normal)), 3)
  const [attended = '', presentKey = '', presentValue = ''] = graph.nodes(
    'ms:MultiHeadAttention',
    [...parts, '', '', selfBias, pastKey, pastValue],
    { attributes: { num_heads: heads }, outputs: 3 },
  )
  graph.node('Identity', [presentKey], { as: `present_key_${layer}` })
  graph.node('Identity', [presentValue], { as: `present_value_${layer}` })
  graph.output(`present_key_${layer}`, 'float32', ['texts', heads, 'total', HEAD_SIZE])
  graph.output(`present_value_${layer}`, 'float32', ['texts', heads, 'total', HEAD_SIZE])
  return linear(context, `${name}/linear_1`, collect(attended))
}

/** Plain operators: the attention itself is needed for word times, and they are as fast as the fused one. */
async function crossAttention(
  context: LayerContext,
  { heads, crossBias, deal, collect }: Attention,
  { layer, hidden }: AttentionInput,
): Promise<{ readonly output: string; readonly attention: string }> {
  const { graph } = context
  const name = `decoder/layer_${layer}/attention`
  const keys = graph.input(`cross_key_${layer}`, 'float32', ['texts', heads, HEAD_SIZE, 'positions'])
  const values = graph.input(`cross_value_${layer}`, 'float32', ['texts', heads, 'positions', HEAD_SIZE])

  const normal = await layerNorm(context, `${name}/layer_norm`, hidden)
  const query = deal(await linear(context, `${name}/linear_0`, normal, ATTENTION_SCALE))
  const scores = graph.node('Add', [graph.node('MatMul', [toHeads(graph, query, 'time first'), keys]), crossBias])
  const attention = graph.node('Softmax', [scores], { attributes: { axis: -1 } })
  const mixed = graph.node('Transpose', [graph.node('MatMul', [attention, values])], {
    attributes: { perm: [0, 2, 1, 3] },
  })
  const flat = graph.node('Reshape', [collect(mixed), graph.ints(0, -1)])
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

/** Columns of [state, vocabulary] for tokens [steps] → [steps, state]. */
function gatherColumns(graph: GraphBuilder, table: string, tokens: string): string {
  const picked = graph.node('Gather', [table, tokens], { attributes: { axis: 1 } })
  return graph.node('Transpose', [picked], { attributes: { perm: [1, 0] } })
}
