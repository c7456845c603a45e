import { Tensor } from 'onnxruntime-node'
import { HEAD_SIZE } from '../../models/graph/layers.ts'
import type { WhisperDimensions } from '../../models/manifest.ts'
import { floats, type Tensors } from '../tensors.ts'

/** The texts about one audio, as the cache knows them. */
export interface Member {
  /** Of each token that was ever fed about it: where along the cache its keys and values are. */
  readonly columns: number[]
}

/** Keys and values of what was fed so far, of several members side by side. */
export interface TextCache {
  /** How long it is. */
  readonly past: number
  /** Per layer `past_key_i` and `past_value_i` [members, heads, past, 64]. */
  readonly tensors: Tensors
}

export function emptyCache(members: number, { heads, decoderLayers }: WhisperDimensions): TextCache {
  const empty = new Tensor('float32', new Float32Array(0), [members, heads, 0, HEAD_SIZE])
  const layers = Array.from({ length: decoderLayers }, (_, layer) => layer)
  const tensors = layers.flatMap((layer) => [
    [`past_key_${layer}`, empty],
    [`past_value_${layer}`, empty],
  ])
  return { past: 0, tensors: Object.fromEntries(tensors) as Tensors }
}

/** The cache of other members. Of those there were it keeps what belongs to a token. */
export function moveCache(
  cache: TextCache,
  before: readonly Member[],
  members: readonly Member[],
  dimensions: WhisperDimensions,
): TextCache {
  const past = Math.max(...members.map(({ columns }) => columns.length))
  if (past === 0) return emptyCache(members.length, dimensions)
  const moved = Object.entries(cache.tensors).map(([name, tensor]) => [name, moveTensor(tensor, before, members, past)])
  for (const { columns } of members) for (const entry of columns.keys()) columns[entry] = entry
  return { past, tensors: Object.fromEntries(moved) as Tensors }
}

function moveTensor(tensor: Tensor, before: readonly Member[], members: readonly Member[], past: number): Tensor {
  const from = floats(tensor)
  const [, heads = 0, length = 0] = tensor.dims
  const to = new Float32Array(members.length * heads * past * HEAD_SIZE)
  for (const [index, member] of members.entries()) {
    const was = before.indexOf(member)
    for (let head = 0; head < heads; head += 1) {
      const source = (was * heads + head) * length
      const target = (index * heads + head) * past
      for (const [entry, column] of member.columns.entries()) {
        const at = (source + column) * HEAD_SIZE
        to.set(from.subarray(at, at + HEAD_SIZE), (target + entry) * HEAD_SIZE)
      }
    }
  }
  return new Tensor('float32', to, [members.length, heads, past, HEAD_SIZE])
}
