import type { Tensor } from './source.ts'
import type { TensorData } from './onnx-writer.ts'

const INT8_MAX = 127

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
    let largest = 0
    for (let at = row * width; at < (row + 1) * width; at += 1) largest = Math.max(largest, Math.abs(values[at] ?? 0))
    // A row of zeros has no scale of its own; any positive one gives zeros back.
    const scale = largest === 0 ? 1 : largest / INT8_MAX
    scales[row] = scale
    for (let column = 0; column < width; column += 1) {
      columns[column * rows + row] = Math.round((values[row * width + column] ?? 0) / scale)
    }
  }
  return { columns: { shape: [width, rows], values: columns }, scales: { shape: [rows], values: scales } }
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
