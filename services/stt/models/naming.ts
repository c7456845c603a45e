import { ModelError } from './errors.ts'
import type { Tensor, Weights } from './source.ts'

/** How a format calls the tensors of one Whisper; names of modules, without `.weight` and `.bias`. */
export interface Naming {
  /** CTranslate2's name → the format's, for what is there once: convolutions, positions, embeddings, last norms. */
  readonly single: Readonly<Record<string, string>>
  layer(half: string, index: string): string
  readonly selfAttention: AttentionNames
  readonly crossAttention: AttentionNames
  readonly feedForward: { readonly norm: string; readonly wide: string; readonly narrow: string }
}

interface AttentionNames {
  readonly norm: string
  readonly query: string
  readonly key: string
  readonly value: string
  readonly out: string
}

const LAYER_TENSOR = /^(encoder|decoder)\/layer_(\d+)\/(self_attention|attention|ffn)\/(\w+)\/(\w+)$/

/** The tensors of another format under CTranslate2's names: joined where that has one for several. */
export function renamed(file: string, weights: Weights, naming: Naming): Weights {
  const partsOf = (name: string): readonly string[] => sourceNames(name, naming)
  // Keys have no bias in Whisper, and CTranslate2 writes zeros.
  const isZero = (part: string): boolean =>
    !weights.has(part) &&
    (part.endsWith(`${naming.selfAttention.key}.bias`) || part.endsWith(`${naming.crossAttention.key}.bias`))
  const find = (part: string): readonly number[] => {
    if (!weights.has(part)) throw new ModelError(`${file} has no tensor "${part}": it is not a Whisper model.`)
    return flatBias(part, weights.shape(part))
  }
  const shapeOf = (part: string): readonly number[] =>
    isZero(part) ? [find(part.replace(/\.bias$/, '.weight'))[0] ?? 0] : find(part)

  return {
    has: (name) => partsOf(name).every((part) => weights.has(part) || isZero(part)),
    shape(name) {
      const shapes = partsOf(name).map(shapeOf)
      const [, ...rest] = shapes[0] ?? []
      return [shapes.reduce((sum, [rows = 0]) => sum + rows, 0), ...rest]
    },
    async read(name) {
      const tensors: Tensor[] = []
      for (const part of partsOf(name)) {
        const shape = shapeOf(part)
        tensors.push(
          isZero(part)
            ? { shape, values: new Float32Array(shape[0] ?? 0) }
            : { shape, values: (await weights.read(part)).values },
        )
      }
      return joined(tensors)
    },
  }
}

/** ggml keeps the biases of convolutions as columns. */
function flatBias(name: string, shape: readonly number[]): readonly number[] {
  return name.endsWith('.bias') && shape.length === 2 && shape[1] === 1 ? shape.slice(0, 1) : shape
}

function joined(tensors: readonly Tensor[]): Tensor {
  const [first, second] = tensors
  if (first === undefined) throw new RangeError('There is nothing to join.')
  if (second === undefined) return first
  const [, ...rest] = first.shape
  const values = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.values.length, 0))
  let offset = 0
  for (const tensor of tensors) {
    values.set(tensor.values, offset)
    offset += tensor.values.length
  }
  return { shape: [tensors.reduce((sum, { shape: [rows = 0] }) => sum + rows, 0), ...rest], values }
}

function sourceNames(name: string, naming: Naming): readonly string[] {
  const [, half = '', index = '', block = '', module = '', kind = ''] = LAYER_TENSOR.exec(name) ?? []
  if (block === '') {
    const slash = name.lastIndexOf('/')
    const single = naming.single[name.slice(0, slash)]
    if (single === undefined) throw new RangeError(`There is no tensor ${name}.`)
    return [single + suffix(name.slice(slash + 1), single)]
  }
  return modules(block, module, naming).map((each) => `${naming.layer(half, index)}.${each}${suffix(kind, each)}`)
}

function modules(block: string, module: string, naming: Naming): readonly string[] {
  if (block === 'ffn') {
    const { norm, wide, narrow } = naming.feedForward
    if (module === 'layer_norm') return [norm]
    return module === 'linear_0' ? [wide] : [narrow]
  }
  const { norm, query, key, value, out } = block === 'attention' ? naming.crossAttention : naming.selfAttention
  const linear = block === 'attention' ? [[query], [key, value], [out]] : [[query, key, value], [out]]
  return module === 'layer_norm' ? [norm] : (linear[Number(module.slice('linear_'.length))] ?? [])
}

/** ggml's positions are a plain parameter, without a module around it. */
function suffix(kind: string, module: string): string {
  if (kind === 'encodings') return module.endsWith('_embedding') ? '' : '.weight'
  return kind === 'bias' || kind === 'beta' ? '.bias' : '.weight'
}
