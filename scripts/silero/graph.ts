import { createGraph, type GraphBuilder } from '../../services/stt/models/onnx-writer.ts'
import type { SileroWeights, Weight } from './source.ts'

const CONTEXT_SAMPLES = 64
const FRAME_SAMPLES = 512
const HOP = 128
const WINDOW = 2 * HOP
// 576 samples and their reflection are 5 hops, of which each window covers two.
const HOPS = 5
const PLACES = HOPS - 1
const BINS = WINDOW / 2 + 1
const TAPS = 3
const STATE = 128

/** ONNX wants the gates in, out, forget, cell. */
const GATES = [0, 3, 1, 2] as const

/**
 * Silero VAD for 16 kHz over many frames of many streams at a time: all that is the same for every frame is a product of
 * matrices with a row for each frame (or each of its {@link PLACES} windows), and only the LSTM goes frame by frame.
 */
export function sileroGraph(weights: SileroWeights): GraphBuilder {
  const graph = createGraph('silero-vad')
  const frames = graph.input('frames', 'float32', ['steps', 'batch', CONTEXT_SAMPLES + FRAME_SAMPLES])
  const state = graph.input('state', 'float32', [2, 'batch', STATE])
  const features = encode(graph, weights, magnitudes(graph, weights, frames))
  const steps = graph.node('Slice', [graph.node('Shape', [frames]), graph.ints(0), graph.ints(2)])
  const shape = graph.node('Concat', [steps, graph.ints(STATE)], { attributes: { axis: 0 } })
  remember(graph, weights, graph.node('Reshape', [features, shape]), state)
  graph.output('probabilities', 'float32', ['steps', 'batch'])
  graph.output('newState', 'float32', [2, 'batch', STATE])
  return graph
}

/** [frames, PLACES, BINS] */
function magnitudes(graph: GraphBuilder, { basis }: SileroWeights, frames: string): string {
  const flat = graph.node('Reshape', [frames, graph.ints(-1, CONTEXT_SAMPLES + FRAME_SAMPLES)])
  const padded = graph.node('Pad', [flat, graph.ints(0, 0, 0, CONTEXT_SAMPLES)], { attributes: { mode: 'reflect' } })
  const hops = graph.node('Reshape', [padded, graph.ints(-1, HOPS, HOP)])
  const windows = graph.node('Reshape', [neighbours(graph, hops, 2), graph.ints(-1, PLACES, WINDOW)])
  const squares = [0, BINS].map((first) => {
    const at = (sample: number, bin: number): number | undefined => basis.values[(first + bin) * WINDOW + sample]
    const part = graph.node('MatMul', [windows, matrix(graph, `basis_${first}`, WINDOW, BINS, at)])
    return graph.node('Mul', [part, part])
  })
  return graph.node('Sqrt', [graph.node('Add', squares)])
}

/** For each place so many rows of the frame, from that place on: [frames, PLACES, count, columns] */
function neighbours(graph: GraphBuilder, input: string, count: number): string {
  const values = BigInt64Array.from({ length: PLACES * count }, (_, index) =>
    BigInt(Math.floor(index / count) + (index % count)),
  )
  const rows = graph.constant(`neighbours_${count}`, { shape: [PLACES, count], values })
  return graph.node('Gather', [input, rows], { attributes: { axis: 1 } })
}

/** Four convolutions over 4, 4 (every second), 2 (every second) and 1 places: [frames, STATE] */
function encode(graph: GraphBuilder, { convolutions }: SileroWeights, input: string): string {
  const layer = (index: number, from: string, inputs: number, outputs: number, tapOf: TapOf): string => {
    const { weight, bias } = convolutions[index] ?? never()
    const [channelsOut = 0, channelsIn = 0] = weight.shape
    const at = (row: number, column: number): number | undefined => {
      const tap = tapOf(Math.floor(row / channelsIn), Math.floor(column / channelsOut))
      // Of what the convolution does not reach, and of the silence at its edges.
      if (tap < 0 || tap >= TAPS) return 0
      return weight.values[((column % channelsOut) * channelsIn + (row % channelsIn)) * TAPS + tap]
    }
    const columns = matrix(graph, `convolution_${index}`, inputs * channelsIn, outputs * channelsOut, at)
    const biases = repeated(graph, `convolution_${index}_bias`, bias, outputs)
    const row = graph.node('Reshape', [from, graph.ints(-1, inputs * channelsIn)])
    const product = graph.node('Gemm', [row, columns, biases])
    return graph.node('Relu', [product])
  }

  // The widest one is a product for each place, of what stands there and on both its sides; the others one for each frame.
  const padded = graph.node('Pad', [input, graph.ints(0, 1, 0, 0, 1, 0)])
  const wide = layer(0, neighbours(graph, padded, TAPS), TAPS, 1, (from) => from)
  const halved = layer(1, wide, PLACES, 2, (from, to) => from - 2 * to + 1)
  const single = layer(2, halved, 2, 1, (from) => from + 1)
  return layer(3, single, 1, 1, () => 1)
}

/** Which tap of the convolution leads from one place to another; none when it is no tap. */
type TapOf = (from: number, to: number) => number

function remember(graph: GraphBuilder, { lstm, head }: SileroWeights, features: string, state: string): void {
  const [hidden = '', cell = ''] = graph.nodes('Split', [state], {
    attributes: { axis: 0, num_outputs: 2 },
    outputs: 2,
  })
  const both = Float32Array.of(...gatesOf(lstm.inputBias), ...gatesOf(lstm.stateBias))
  const lstmInputs = [
    features,
    graph.constant('lstm_input', { shape: [1, ...lstm.inputWeight.shape], values: gatesOf(lstm.inputWeight) }),
    graph.constant('lstm_state', { shape: [1, ...lstm.stateWeight.shape], values: gatesOf(lstm.stateWeight) }),
    graph.constant('lstm_bias', { shape: [1, both.length], values: both }),
    '',
    hidden,
    cell,
  ]
  const options = { attributes: { hidden_size: STATE }, outputs: 3 }
  const [all = '', lastHidden = '', lastCell = ''] = graph.nodes('LSTM', lstmInputs, options)
  const relu = graph.node('Relu', [graph.node('Squeeze', [all, graph.ints(1)])])
  const product = graph.node('MatMul', [relu, graph.constant('head', { shape: [STATE], values: head.weight.values })])
  const bias = graph.constant('head_bias', { shape: [], values: head.bias.values })
  graph.node('Sigmoid', [graph.node('Add', [product, bias])], { as: 'probabilities' })
  graph.node('Concat', [lastHidden, lastCell], { attributes: { axis: 0 }, as: 'newState' })
}

function gatesOf({ values }: Weight): Float32Array {
  const size = values.length / GATES.length
  const ordered = new Float32Array(values.length)
  for (const [place, gate] of GATES.entries()) {
    ordered.set(values.subarray(gate * size, (gate + 1) * size), place * size)
  }
  return ordered
}

function matrix(
  graph: GraphBuilder,
  name: string,
  height: number,
  width: number,
  at: (row: number, column: number) => number | undefined,
): string {
  const values = Float32Array.from({ length: height * width }, (_, index) => {
    return at(Math.floor(index / width), index % width) ?? never()
  })
  return graph.constant(name, { shape: [height, width], values })
}

function repeated(graph: GraphBuilder, name: string, { values }: Weight, times: number): string {
  const all = Float32Array.from(
    { length: values.length * times },
    (_, index) => values[index % values.length] ?? never(),
  )
  return graph.constant(name, { shape: [all.length], values: all })
}

function never(): never {
  throw new Error('A weight of Silero is smaller than its shape says.')
}
