import type { Tensor } from './source.ts'
import type { TensorData } from './onnx-writer.ts'

const INT8_MAX = 127
/** Of unsigned 8-bit numbers, the one that stands for zero where none is named. */
export const BLOCK_ZERO = 128
/** A weight [outputs, inputs] as columns [inputs, outputs] of 8-bit numbers with one scale per output. */
export interface QuantisedColumns {
  readonly columns: TensorData
  readonly scales: TensorData
}

/** One scale per output keeps the error of each as small as its own largest weight allows. */
export function quantiseColumns({ shape, values }: Tensor): QuantisedColumns {
  const { rows, width } = matrix(shape)
  const columns = new Int8Array(values.length)
  const scales = new Float32Array(rows)
  for (let row = 0; row < rows; row += 1) {
    const scale = scaleOf(values, row * width, (row + 1) * width)
    scales[row] = scale
    for (let column = 0; column < width; column += 1) {
      columns[column * rows + row] = Math.round((values[row * width + column] ?? 0) / scale)
    }
  }
  return { columns: { shape: [width, rows], values: columns }, scales: { shape: [rows], values: scales } }
}

/** A weight [outputs, inputs] as [outputs, blocks, inputs of a block], with one scale per block: [outputs, blocks]. */
export interface QuantisedBlocks {
  readonly blocks: TensorData
  readonly scales: TensorData
  readonly blockSize: number
}

/**
 * One scale for a short stretch of inputs. They are multiplied with inputs that have a scale per stretch, too, so that what
 * comes of one token hardly depends on the tokens beside it.
 *
 * @param largest how many inputs share a scale, if they divide the row: a power of two, at least 16 for ONNX Runtime
 */
export function quantiseBlocks({ shape, values }: Tensor, largest: number): QuantisedBlocks {
  const { rows, width } = matrix(shape)
  let blockSize = largest
  while (width % blockSize !== 0) blockSize /= 2
  const perRow = width / blockSize
  const result = new Uint8Array(values.length)
  const scales = new Float32Array(rows * perRow)
  for (let block = 0; block < scales.length; block += 1) {
    const from = block * blockSize
    const scale = scaleOf(values, from, from + blockSize)
    scales[block] = scale
    for (let at = from; at < from + blockSize; at += 1) {
      result[at] = BLOCK_ZERO + Math.round((values[at] ?? 0) / scale)
    }
  }
  return {
    blocks: { shape: [rows, perRow, blockSize], values: result },
    scales: { shape: [rows, perRow], values: scales },
    blockSize,
  }
}

/** A stretch of zeros has no scale of its own; any positive one gives zeros back. */
function scaleOf(values: Tensor['values'], from: number, to: number): number {
  let largest = 0
  for (let at = from; at < to; at += 1) largest = Math.max(largest, Math.abs(values[at] ?? 0))
  return largest === 0 ? 1 : largest / INT8_MAX
}

export function transpose({ shape, values }: Tensor): Tensor {
  const { rows, width } = matrix(shape)
  const result = new Float32Array(values.length)
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < width; column += 1) {
      result[column * rows + row] = values[row * width + column] ?? 0
    }
  }
  return { shape: [width, rows], values: result }
}

function matrix(shape: readonly number[]): { readonly rows: number; readonly width: number } {
  const [rows, width] = shape
  if (rows === undefined || width === undefined || shape.length !== 2) {
    throw new RangeError(`A matrix was expected, not a tensor of shape [${shape.join(', ')}].`)
  }
  return { rows, width }
}
