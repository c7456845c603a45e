import { bytesField, floatField, intField, messageField, stringField, type Encoded } from './protobuf.ts'

// Field and type numbers below are those of onnx.proto3.

/** Opset 20 is the first with a Gelu operator; IR version 9 is the newest it needs. */
const ONNX_OPSET = 20
const IR_VERSION = 9
const MICROSOFT_DOMAIN = 'com.microsoft'

const ELEMENT_TYPE = { float32: 1, uint8: 2, int8: 3, int64: 7 } as const

export type ElementType = keyof typeof ELEMENT_TYPE

/** A fixed size, or the name of a dimension known only at run time. */
export type Dimension = number | string

export type AttributeValue = number | string | readonly number[] | { readonly float: number }

/** What an operator needs besides its inputs. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  /** How many outputs; 1 when absent. */
  readonly outputs?: number
  /** Fixes the name of the single output, for outputs of the graph. */
  readonly as?: string
}

export interface TensorData {
  readonly shape: readonly number[]
  readonly values: Float32Array | Int8Array | Uint8Array | BigInt64Array
}

/** Collects the nodes and constants of one ONNX model. Every operator returns the name of its output. */
export interface GraphBuilder {
  input(name: string, type: ElementType, shape: readonly Dimension[]): string
  output(name: string, type: ElementType, shape: readonly Dimension[]): void
  constant(name: string, data: TensorData): string
  /** A constant list of whole numbers, shared between all its users. */
  ints(...values: number[]): string
  /** An operator with one output; `ms:` before its name means ONNX Runtime's own set. */
  node(operator: string, inputs: readonly string[], options?: NodeOptions): string
  nodes(operator: string, inputs: readonly string[], options: NodeOptions): string[]
  /** @param weightsFile name under which `weights` will lie beside the model; without it they are in the model */
  toModel(weightsFile?: string): OnnxModel
}

/** A model in two files: the graph, and its large constants, which are mapped into memory instead of parsed. */
export interface OnnxModel {
  readonly graph: Encoded
  readonly weights: Encoded
}

/** Constants from this size up go to the weights file. */
const EXTERNAL_FROM_BYTES = 1024
/** Files are mapped in whole pages; 4 KiB is the smallest common size. */
const PAGE_BYTES = 4096

export function createGraph(name: string): GraphBuilder {
  const inputs: Encoded[] = []
  const outputs: Encoded[] = []
  const nodes: Encoded[] = []
  const constants = new Map<string, TensorData>()
  let counter = 0

  const builder: GraphBuilder = {
    input(inputName, type, shape) {
      inputs.push(messageField(11, ...valueInfo(inputName, type, shape)))
      return inputName
    },
    output(outputName, type, shape) {
      outputs.push(messageField(12, ...valueInfo(outputName, type, shape)))
    },
    constant(constantName, data) {
      constants.set(constantName, data)
      return constantName
    },
    ints(...values) {
      return builder.constant(`ints_${values.join('_')}`, {
        shape: [values.length],
        values: BigInt64Array.from(values, BigInt),
      })
    },
    node(operator, nodeInputs, options = {}) {
      const [output] = builder.nodes(operator, nodeInputs, options)
      if (output === undefined) throw new Error(`${operator} was asked for no output.`)
      return output
    },
    nodes(operator, nodeInputs, options) {
      counter += 1
      const plain = operator.replace(/^ms:/, '')
      const nodeName = `${plain}_${counter}`
      const names = Array.from({ length: options.outputs ?? 1 }, (_, index) => options.as ?? `${nodeName}_${index}`)
      nodes.push(
        messageField(
          1,
          ...nodeInputs.map((input) => stringField(1, input)),
          ...names.map((output) => stringField(2, output)),
          stringField(3, nodeName),
          stringField(4, plain),
          ...Object.entries(options.attributes ?? {}).map(([key, value]) => attribute(key, value)),
          ...(plain === operator ? [] : [stringField(7, MICROSOFT_DOMAIN)]),
        ),
      )
      return names
    },
    toModel(weightsFile) {
      const weights = weightsFile === undefined ? undefined : createWeights(weightsFile)
      const tensors = Array.from(constants, ([key, data]) => messageField(5, ...tensor(key, data, weights)))
      const graph = [
        ...intField(1, IR_VERSION),
        ...stringField(2, 'aldea-local'),
        ...messageField(8, stringField(1, ''), intField(2, ONNX_OPSET)),
        ...messageField(8, stringField(1, MICROSOFT_DOMAIN), intField(2, 1)),
        ...messageField(7, ...nodes, stringField(2, name), ...tensors, ...inputs, ...outputs),
      ]
      return { graph, weights: weights?.pieces ?? [] }
    },
  }
  return builder
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): Encoded[] {
  const dimensions = shape.map((size) =>
    messageField(1, typeof size === 'number' ? intField(1, size) : stringField(2, size)),
  )
  const tensorType = messageField(1, intField(1, ELEMENT_TYPE[type]), messageField(2, ...dimensions))
  return [stringField(1, name), messageField(2, tensorType)]
}

interface Weights {
  readonly pieces: Uint8Array[]
  /** Takes the bytes to the weights file and says where they are, in the fields of TensorProto. */
  add(bytes: Uint8Array): Encoded[]
}

function createWeights(file: string): Weights {
  const pieces: Uint8Array[] = []
  let offset = 0
  return {
    pieces,
    add(bytes) {
      const padding = -bytes.byteLength & (PAGE_BYTES - 1)
      pieces.push(bytes, new Uint8Array(padding))
      const place = { location: file, offset: String(offset), length: String(bytes.byteLength) }
      offset += bytes.byteLength + padding
      const entries = Object.entries(place).map(([key, value]) =>
        messageField(13, stringField(1, key), stringField(2, value)),
      )
      return [...entries, intField(14, 1)]
    },
  }
}

function tensor(name: string, { shape, values }: TensorData, weights: Weights | undefined): Encoded[] {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return [
    ...shape.map((size) => intField(1, size)),
    intField(2, ELEMENT_TYPE[elementType(values)]),
    stringField(8, name),
    ...(weights && bytes.byteLength >= EXTERNAL_FROM_BYTES ? weights.add(bytes) : [bytesField(9, bytes)]),
  ]
}

function elementType(values: TensorData['values']): ElementType {
  if (values instanceof Float32Array) return 'float32'
  if (values instanceof Int8Array) return 'int8'
  return values instanceof Uint8Array ? 'uint8' : 'int64'
}

function attribute(name: string, value: AttributeValue): Encoded {
  const head = stringField(1, name)
  if (typeof value === 'number') return messageField(5, head, intField(3, value), intField(20, 2))
  if (typeof value === 'string') return messageField(5, head, stringField(4, value), intField(20, 3))
  if ('float' in value) return messageField(5, head, floatField(2, value.float), intField(20, 1))
  return messageField(5, head, ...value.map((item) => intField(8, item)), intField(20, 7))
}
