import { Tensor } from 'onnxruntime-node'

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>

export function int64(values: readonly number[], shape: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), shape)
}

/** @throws TypeError when it is absent or of another type */
export function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new TypeError('The model returned no float32 tensor where one belongs.')
}
