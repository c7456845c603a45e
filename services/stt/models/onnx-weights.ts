import { openBytes } from './byte-reader.ts'
import { ModelError } from './errors.ts'
import { brainFloatsToFloats, halvesToFloats } from './halves.ts'
import type { OnnxGraph, OnnxTensor } from './onnx-reader.ts'
import { transpose } from './quantise.ts'
import type { Weights } from './source.ts'

const FLOAT32 = 1
const FLOAT16 = 10
const BFLOAT16 = 16

/** Operators of graphs whose weights are no plain numbers any more. */
const QUANTISED = new Set([
  'MatMulInteger',
  'DynamicQuantizeMatMul',
  'MatMulNBits',
  'QLinearMatMul',
  'DequantizeLinear',
])

/** A constant of the graph under transformers' name. */
interface Found {
  readonly tensor: OnnxTensor
  /** MatMul takes its weight with inputs first. */
  readonly isTransposed: boolean
}

/**
 * The constants of an exported half of Whisper under the names that transformers gives them. Exporters keep the names
 * of biases, norms, convolutions and tables; a matrix gets a number, and the module is in the name of the node that
 * multiplies by it, or of the bias that is added to the product.
 */
export function onnxWeights(path: string, graph: OnnxGraph, half: 'encoder' | 'decoder'): Weights {
  const found = findWeights(graph, half)
  const find = (name: string): Found => {
    const weight = found.get(name)
    if (weight) return weight
    const quantised = graph.nodes.find(({ operator }) => QUANTISED.has(operator))
    if (quantised) {
      throw new ModelError(`${path} is quantised (${quantised.operator}); take the single- or half-precision export.`)
    }
    throw new ModelError(`${path} has no tensor "${name}": it is not a Whisper model.`)
  }
  return {
    has: (name) => found.has(name),
    shape(name) {
      const { tensor, isTransposed } = find(name)
      return isTransposed ? tensor.shape.toReversed() : tensor.shape
    },
    async read(name) {
      const { tensor, isTransposed } = find(name)
      const read = { shape: tensor.shape, values: await readFloats(name, tensor) }
      return isTransposed ? transpose(read) : read
    },
  }
}

function findWeights({ nodes, tensors }: OnnxGraph, half: string): Map<string, Found> {
  const found = new Map<string, Found>()
  for (const [name, tensor] of tensors) found.set(qualified(name, half), { tensor, isTransposed: false })

  const transposed = new Map(
    nodes.flatMap(({ operator, inputs, outputs }) =>
      operator === 'Transpose' ? [[outputs[0], inputs[0]] as const] : [],
    ),
  )
  const products = new Map<string, Found>()
  for (const { operator, name, inputs, outputs } of nodes) {
    if (operator !== 'MatMul') continue
    const [, input = ''] = inputs
    const direct = tensors.get(input)
    const tensor = direct ?? tensors.get(transposed.get(input) ?? '')
    if (tensor === undefined || tensor.shape.length !== 2) continue
    const weight = { tensor, isTransposed: direct !== undefined }
    products.set(outputs[0] ?? '', weight)
    found.set(`${qualified(moduleOf(name), half)}.weight`, weight)
  }
  for (const { operator, inputs } of nodes) {
    if (operator !== 'Add') continue
    const product = inputs.map((input) => products.get(input)).find((each) => each !== undefined)
    const bias = inputs.find((input) => input.endsWith('.bias') && tensors.has(input))
    if (product && bias !== undefined) found.set(qualified(bias, half).replace(/\.bias$/, '.weight'), product)
  }
  // The output head is the embedding table; some exports keep only the head.
  const [table, head] = [`model.${half}.embed_tokens.weight`, found.get(`model.${half}.proj_out.weight`)]
  if (head && !found.has(table)) found.set(table, head)
  return found
}

/** `/model/decoder/layers.0/fc1/MatMul` → `model.decoder.layers.0.fc1` */
function moduleOf(node: string): string {
  return node.split('/').filter(Boolean).slice(0, -1).join('.')
}

/** `layers.0.fc1`, `encoder.layers.0.fc1` and `model.encoder.layers.0.fc1` are the same thing. */
function qualified(name: string, half: string): string {
  const bare = name.replace(/^model\./, '')
  return `model.${half}.${bare.startsWith(`${half}.`) ? bare.slice(half.length + 1) : bare}`
}

async function readFloats(
  name: string,
  { shape, type, file, offset, bytes: announced }: OnnxTensor,
): Promise<Float32Array> {
  const bytesEach = type === FLOAT32 ? 4 : 2
  if (type !== FLOAT32 && type !== FLOAT16 && type !== BFLOAT16) {
    throw new ModelError(`${file}: "${name}" is of ONNX's type ${type}; known: float32, float16, bfloat16.`)
  }
  const expected = shape.reduce((product, length) => product * length, bytesEach)
  if (announced !== undefined && announced !== expected) {
    throw new ModelError(`${file} is corrupt: "${name}" has ${announced} bytes, its shape needs ${expected}.`)
  }
  if (!Number.isSafeInteger(offset) || offset < 0) throw new ModelError(`${file}: "${name}" has no place in it.`)
  const reader = await openBytes(file)
  try {
    const { buffer } = await reader.readAt(offset, expected)
    if (type === FLOAT32) return new Float32Array(buffer)
    const bits = new Uint16Array(buffer)
    return type === FLOAT16 ? halvesToFloats(bits) : brainFloatsToFloats(bits)
  } finally {
    await reader.close()
  }
}
