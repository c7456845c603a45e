import type { GraphBuilder, TensorData } from '../onnx-writer.ts'
import type { Tensor, Weights } from '../source.ts'
import { quantiseColumns, transpose } from '../quantise.ts'

/** Arithmetic of the written model: 8-bit weights with activations quantised on the fly, or plain single precision. */
export type Precision = 'int8' | 'fp32'

/** Every Whisper has attention heads of this size. */
export const HEAD_SIZE = 64
/** Of the scores of attention. */
export const ATTENTION_SCALE = 1 / Math.sqrt(HEAD_SIZE)

const LAYER_NORM_EPSILON = 1e-5

/** What the layers of both graphs are made with. */
export interface LayerContext {
  readonly graph: GraphBuilder
  readonly weights: Weights
  readonly precision: Precision
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
  const { graph, weights, precision } = context
  const weight = scaled(await weights.read(`${name}/weight`), outputScale)
  const bias = graph.constant(`${name}/bias`, scaled(await weights.read(`${name}/bias`), outputScale))
  if (precision === 'fp32') {
    const columns = graph.constant(`${name}/weight`, transpose(weight))
    return graph.node('Add', [graph.node('MatMul', [input, columns]), bias])
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
