import { basename, dirname, join } from 'node:path'
import { openBytes, type ByteReader } from './byte-reader.ts'
import { ModelError } from './errors.ts'
import { fieldsOf, numbersOf, stringOf, type Field } from './protobuf-reader.ts'

// Field and type numbers below are those of onnx.proto3.

const MAX_DEPTH = 8
const MAX_NODES = 200_000
const MAX_TENSORS = 50_000
const MAX_RANK = 8
const EXTERNAL = 1

/** A constant of the graph: in the file itself, or in one beside it. */
export interface OnnxTensor {
  readonly shape: readonly number[]
  /** Number of the element type: 1 float32, 3 int8, 10 float16, 16 bfloat16. */
  readonly type: number
  /** Path of the file with the bytes. */
  readonly file: string
  readonly offset: number
  /** Undefined: to the end of the other file. */
  readonly bytes: number | undefined
}

export interface OnnxNode {
  readonly name: string
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** What a graph and its branches hold: nodes without their attributes, constants without their values. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[]
  readonly tensors: ReadonlyMap<string, OnnxTensor>
}

interface Contents {
  readonly reader: ByteReader
  readonly nodes: OnnxNode[]
  readonly tensors: Map<string, OnnxTensor>
}

/** Walks an ONNX file of any size. @throws ModelError for what is no ONNX file, corrupt or cut short */
export async function readOnnx(path: string): Promise<OnnxGraph> {
  const reader = await openBytes(path)
  const contents: Contents = { reader, nodes: [], tensors: new Map() }
  try {
    for await (const field of fieldsOf(reader, 0, reader.size)) {
      if (field.number === 7) await readGraph(contents, field, 0)
    }
  } finally {
    await reader.close()
  }
  if (contents.nodes.length === 0) throw new ModelError(`${path} is no ONNX file, or has no graph.`)
  return contents
}

async function readGraph(contents: Contents, { offset, bytes }: Field, depth: number): Promise<void> {
  const { reader, tensors } = contents
  if (depth > MAX_DEPTH) throw new ModelError(`${reader.path} is corrupt: its graphs are nested too deeply.`)
  for await (const field of fieldsOf(reader, offset, bytes)) {
    if (field.number === 1) await readNode(contents, field, depth)
    if (field.number !== 5) continue
    const [name, tensor] = await readTensor(reader, field)
    tensors.set(name, tensor)
    if (tensors.size > MAX_TENSORS)
      throw new ModelError(`${reader.path} is corrupt: it has over ${MAX_TENSORS} constants.`)
  }
}

async function readNode(contents: Contents, { offset, bytes }: Field, depth: number): Promise<void> {
  const { reader, nodes, tensors } = contents
  const node = { name: '', operator: '', inputs: [] as string[], outputs: [] as string[] }
  const attributes: Field[] = []
  for await (const field of fieldsOf(reader, offset, bytes)) {
    if (field.number === 1) node.inputs.push(await stringOf(reader, field))
    else if (field.number === 2) node.outputs.push(await stringOf(reader, field))
    else if (field.number === 3) node.name = await stringOf(reader, field)
    else if (field.number === 4) node.operator = await stringOf(reader, field)
    else if (field.number === 5) attributes.push(field)
  }
  nodes.push(node)
  if (nodes.length > MAX_NODES) throw new ModelError(`${reader.path} is corrupt: it has over ${MAX_NODES} nodes.`)
  for (const attribute of attributes) {
    for await (const field of fieldsOf(reader, attribute.offset, attribute.bytes)) {
      // A branch of an If, and the value of a Constant, whose name is that of its output.
      if (field.number === 6) await readGraph(contents, field, depth + 1)
      if (field.number !== 5 || node.operator !== 'Constant') continue
      const [, tensor] = await readTensor(reader, field)
      tensors.set(node.outputs[0] ?? '', tensor)
    }
  }
}

async function readTensor(reader: ByteReader, { offset, bytes }: Field): Promise<[name: string, tensor: OnnxTensor]> {
  const { path } = reader
  const shape: number[] = []
  const external = new Map<string, string>()
  let [name, type, location] = ['', 0, 0]
  let data: Field | undefined
  for await (const field of fieldsOf(reader, offset, bytes)) {
    if (field.number === 1) shape.push(...(await dimensions(reader, field)))
    else if (field.number === 2) type = field.value ?? 0
    // Packed floats have the layout of raw bytes.
    else if (field.number === 4 || field.number === 9) data = field
    else if (field.number === 8) name = await stringOf(reader, field)
    else if (field.number === 13) external.set(...(await readEntry(reader, field)))
    else if (field.number === 14) location = field.value ?? 0
  }
  if (shape.length > MAX_RANK) throw new ModelError(`${path} is corrupt: "${name}" has ${shape.length} dimensions.`)
  if (location !== EXTERNAL)
    return [name, { shape, type, file: path, offset: data?.offset ?? 0, bytes: data?.bytes ?? 0 }]

  const file = external.get('location') ?? ''
  // Data lies beside its graph, whatever that says.
  if (file === '' || file !== basename(file) || file === '..') {
    throw new ModelError(`${path}: "${name}" is in ${JSON.stringify(file)}, which is no file beside it.`)
  }
  const length = external.get('length')
  return [
    name,
    {
      shape,
      type,
      file: join(dirname(path), file),
      offset: Number(external.get('offset') ?? 0),
      bytes: length === undefined ? undefined : Number(length),
    },
  ]
}

async function dimensions(reader: ByteReader, field: Field): Promise<number[]> {
  if (field.bytes > MAX_RANK * 10) throw new ModelError(`${reader.path} is corrupt at byte ${field.offset}.`)
  return numbersOf(reader, field)
}

async function readEntry(reader: ByteReader, { offset, bytes }: Field): Promise<[key: string, value: string]> {
  let [key, value] = ['', '']
  for await (const field of fieldsOf(reader, offset, bytes)) {
    if (field.number === 1) key = await stringOf(reader, field)
    if (field.number === 2) value = await stringOf(reader, field)
  }
  return [key, value]
}
