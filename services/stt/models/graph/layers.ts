import type { GraphBuilder, TensorData } from '../onnx-writer.ts'
import type { Tensor, Weights } from '../source.ts'
import { quantiseBlocks, quantiseColumns, transpose, type QuantisedBlocks } from '../quantise.ts'

/** Arithmetic of the written model: 8-bit weights with activations quantised on the fly, or plain single precision. */
export type Precision = 'int8' | 'fp32'

/** Every Whisper has attention heads of this size. */
export const HEAD_SIZE = 64
/** Of the scores of attention. */
export const ATTENTION_SCALE = 1 / Math.sqrt(HEAD_SIZE)

const LAYER_NORM_EPSILON = 1e-5

/** How a graph multiplies with its weights: 8 bits have a scale for each column, or for each block of a row. */
type Weighing = 'fp32' | 'columns' | 'blocks'

/** The fastest for hundreds of rows at once, as in the encoder. */
export const MANY_ROWS: Readonly<Record<Precision, Weighing>> = { int8: 'columns', fp32: 'fp32' }
/** For a decoder: one row takes two thirds of the time it takes by columns, and what comes of it hardly depends on those beside it. */
export const FEW_ROWS: Readonly<Record<Precision, Weighing>> = { int8: 'blocks', fp32: 'fp32' }

/** What the layers of both graphs are made with. */
export interface LayerContext {
  readonly graph: GraphBuilder
  readonly weights: Weights
  readonly weighing: Weighing
}

export async function layerNorm({ graph, weights }: LayerContext, name: string, input: string): Promise<string> {
  const gamma = graph.constant(`${name}/gamma`, await weights.read(`${name}/gamma`))
  const beta = graph.constant(`${name}/beta`, await weights.read(`${name}/beta`))
  return graph.node('LayerNormalization', [input, gamma, beta], {
    attributes: { axis: -1, epsilon: { float: LAYER_NORM_EPSILON } },
  })
}

/** `input × weightᵀ + bias`. `outputScale` is folded into both, so that it costs nothing at run time. */
export async function linear(context: LayerContext, name: string, input: string, outputScale = 1): Promise<string> {
  const { graph, weights, weighing } = context
  const weight = scaled(await weights.read(`${name}/weight`), outputScale)
  const bias = graph.constant(`${name}/bias`, scaled(await weights.read(`${name}/bias`), outputScale))
  if (weighing === 'fp32') {
    const columns = graph.constant(`${name}/weight`, transpose(weight))
    return graph.node('Add', [graph.node('MatMul', [input, columns]), bias])
  }
  if (weighing === 'blocks') {
    const quantised = quantiseBlocks(weight, LAYER_BLOCK)
    return productByBlock(graph, input, {
      ...quantised,
      weight: graph.constant(`${name}/weight`, quantised.blocks),
      scale: graph.constant(`${name}/weight_scale`, quantised.scales),
      bias,
    })
  }
  const { columns, scales } = quantiseColumns(weight)
  return graph.node('ms:DynamicQuantizeMatMul', [
    input,
    graph.constant(`${name}/weight`, columns),
    graph.constant(`${name}/weight_scale`, scales),
    '',
    bias,
  ])
}

/** Of a layer's inputs, so many share a scale: what it rounds away is lost for all after it (with 128 µ-law costs live words). */
const LAYER_BLOCK = 64

/** What a weight by blocks is called in a graph. */
export interface WeightByBlock extends QuantisedBlocks {
  readonly weight: string
  readonly scale: string
  readonly bias?: string
}

/** Inputs in 8 bits as well: ONNX Runtime's accuracy level of that name. */
const INT8_INPUTS = 4

/** `input × weightᵀ + bias`. */
export function productByBlock(graph: GraphBuilder, input: string, options: WeightByBlock): string {
  const { weight, scale, bias, blocks, blockSize } = options
  const [outputs = 0, perRow = 0] = blocks.shape
  return graph.node('ms:MatMulNBits', [input, weight, scale, ...(bias === undefined ? [] : ['', '', bias])], {
    attributes: { K: perRow * blockSize, N: outputs, bits: 8, block_size: blockSize, accuracy_level: INT8_INPUTS },
  })
}

export async function feedForward(context: LayerContext, name: string, input: string): Promise<string> {
  const normal = await layerNorm(context, `${name}/layer_norm`, input)
  const wide = context.graph.node('Gelu', [await linear(context, `${name}/linear_0`, normal)])
  return context.graph.node('Add', [input, await linear(context, `${name}/linear_1`, wide)])
}

/** Splits the last axis into equal parts. */
export function splitLast(graph: GraphBuilder, input: string, parts: number): string[] {
  return graph.nodes('Split', [input], { attributes: { axis: -1, num_outputs: parts }, outputs: parts })
}

/** [batch, time, state] → [batch, heads, time, HEAD_SIZE], or with the last two axes swapped. */
export function toHeads(graph: GraphBuilder, input: string, order: 'time first' | 'time last'): string {
  const split = graph.node('Reshape', [input, graph.ints(0, 0, -1, HEAD_SIZE)])
  return graph.node('Transpose', [split], {
    attributes: { perm: order === 'time first' ? [0, 2, 1, 3] : [0, 2, 3, 1] },
  })
}

function scaled(tensor: Tensor, factor: number): TensorData & Tensor {
  return factor === 1 ? tensor : { shape: tensor.shape, values: tensor.values.map((value) => value * factor) }
}
