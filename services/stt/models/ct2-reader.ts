import { open, type FileHandle } from 'node:fs/promises'
import { ModelError } from './errors.ts'

/** The binary format of CTranslate2 since its version 1; 6 is what releases 2 to 4 write. */
const NEWEST_FORMAT = 6
const OLDEST_FORMAT = 5

/** Type numbers of CTranslate2's DataType and their sizes in bytes. */
const BYTES_BY_TYPE = new Map([
  [0, 4],
  [1, 1],
  [2, 2],
  [3, 4],
  [4, 2],
  [5, 2],
])
const FLOAT32 = 0
const INT8 = 1
const FLOAT16 = 4
const BFLOAT16 = 5

/** Longest variable name and most dimensions believed; beyond them the file is not what it claims to be. */
const MAX_NAME_BYTES = 512
const MAX_RANK = 8
const MAX_VARIABLES = 100_000
/** Enough for the fixed part of any header entry. */
const HEADER_READ_BYTES = 1024

interface Variable {
  readonly shape: readonly number[]
  readonly type: number
  readonly offset: number
  readonly bytes: number
}

export interface Tensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** An open CTranslate2 model: the table of contents in memory, weights read on demand. */
export interface Ct2Model {
  /** Such as `WhisperSpec`. */
  readonly spec: string
  readonly names: readonly string[]
  has(name: string): boolean
  shape(name: string): readonly number[]
  /** @throws {@link ModelError} when the tensor is missing or of a type that holds no weights. */
  read(name: string): Promise<Tensor>
  close(): Promise<void>
}

/**
 * Opens a `model.bin`. Layout, little endian: u32 version, string spec, u32 revision, u32 count; per variable: string
 * name, u8 rank, u32 per dimension, u8 type, u32 bytes, data; then u32 count and pairs of strings for the aliases.
 * A string is a u16 length, that many bytes, the last of them 0.
 *
 * @throws {@link ModelError} for other versions, truncated and oversized files.
 */
export async function openCt2Model(path: string): Promise<Ct2Model> {
  const file = await openFile(path)
  try {
    return await readContents(path, file)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    throw new ModelError(`Cannot open ${path}.`, { cause: error })
  }
}

async function readContents(path: string, file: FileHandle): Promise<Ct2Model> {
  const { size } = await file.stat()
  const reader = createHeaderReader(path, file, size)
  const version = await reader.uint32()
  if (version < OLDEST_FORMAT || version > NEWEST_FORMAT) {
    throw new ModelError(
      `${path} is not a CTranslate2 model this converter knows: its format version is ${version}, ` +
        `versions ${OLDEST_FORMAT} and ${NEWEST_FORMAT} are.`,
    )
  }
  const spec = await reader.string()
  await reader.uint32()
  const count = await reader.uint32()
  if (count > MAX_VARIABLES) throw new ModelError(`${path} is corrupt: it announces ${count} variables.`)

  const variables = new Map<string, Variable>()
  for (let index = 0; index < count; index += 1) {
    const name = await reader.string()
    variables.set(name, await reader.variable(name))
  }
  const aliases = await reader.uint32()
  for (let index = 0; index < aliases; index += 1) {
    const alias = await reader.string()
    const target = variables.get(await reader.string())
    if (target) variables.set(alias, target)
  }

  const find = (name: string): Variable => {
    const variable = variables.get(name)
    if (!variable) throw new ModelError(`${path} has no tensor "${name}": it is not a Whisper model.`)
    return variable
  }
  return {
    spec,
    names: [...variables.keys()],
    has: (name) => variables.has(name),
    shape: (name) => find(name).shape,
    async read(name) {
      const variable = find(name)
      const bytes = await readBytes(path, file, variable)
      if (variable.type !== INT8) return { shape: variable.shape, values: toFloat32(name, variable.type, bytes) }
      const scale = find(`${name}_scale`)
      const scales = toFloat32(`${name}_scale`, scale.type, await readBytes(path, file, scale))
      return { shape: variable.shape, values: dequantise(new Int8Array(bytes.buffer), scales) }
    },
    close: () => file.close(),
  }
}

interface HeaderReader {
  uint32(): Promise<number>
  string(): Promise<string>
  variable(name: string): Promise<Variable>
}

function createHeaderReader(path: string, file: FileHandle, size: number): HeaderReader {
  let position = 0
  let chunk = Buffer.alloc(0)
  let chunkStart = 0

  async function take(bytes: number): Promise<Buffer> {
    if (position + bytes > size) {
      throw new ModelError(`${path} is truncated: ${position + bytes} bytes were expected, it has ${size}.`)
    }
    if (position < chunkStart || position + bytes > chunkStart + chunk.length) {
      chunk = Buffer.alloc(Math.min(Math.max(HEADER_READ_BYTES, bytes), size - position))
      chunkStart = position
      await file.read(chunk, 0, chunk.length, position)
    }
    const taken = chunk.subarray(position - chunkStart, position - chunkStart + bytes)
    position += bytes
    return taken
  }
  const uint32 = async (): Promise<number> => (await take(4)).readUInt32LE()

  return {
    uint32,
    async string() {
      const bytes = (await take(2)).readUInt16LE()
      if (bytes === 0 || bytes > MAX_NAME_BYTES) throw new ModelError(`${path} is corrupt at byte ${position}.`)
      return (await take(bytes)).subarray(0, bytes - 1).toString('utf8')
    },
    async variable(name) {
      const rank = (await take(1)).readUInt8()
      if (rank > MAX_RANK) throw new ModelError(`${path} is corrupt: "${name}" has ${rank} dimensions.`)
      const shape: number[] = []
      for (let axis = 0; axis < rank; axis += 1) shape.push(await uint32())
      const type = (await take(1)).readUInt8()
      const bytes = await uint32()
      const expected = (BYTES_BY_TYPE.get(type) ?? 0) * shape.reduce((product, length) => product * length, 1)
      if (bytes !== expected) {
        throw new ModelError(`${path} is corrupt: "${name}" has ${bytes} bytes, its shape needs ${expected}.`)
      }
      const offset = position
      if (offset + bytes > size) throw new ModelError(`${path} is truncated in "${name}".`)
      position += bytes
      return { shape, type, offset, bytes }
    },
  }
}

async function readBytes(path: string, file: FileHandle, { offset, bytes }: Variable): Promise<Uint8Array> {
  const target = new Uint8Array(bytes)
  const { bytesRead } = await file.read(target, 0, bytes, offset)
  if (bytesRead !== bytes) throw new ModelError(`${path} is truncated at byte ${offset + bytesRead}.`)
  return target
}

function toFloat32(name: string, type: number, bytes: Uint8Array): Float32Array {
  if (type === FLOAT32) return new Float32Array(bytes.buffer)
  const bits = new Uint16Array(bytes.buffer)
  if (type === FLOAT16) return convertHalves(bits)
  if (type === BFLOAT16) return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer)
  throw new ModelError(`Tensor "${name}" holds no weights (CTranslate2 type ${type}).`)
}

/** CTranslate2 keeps `round(weight × scale)`, one scale per row. */
function dequantise(quantised: Int8Array, scales: Float32Array): Float32Array {
  const columns = quantised.length / scales.length
  return Float32Array.from(quantised, (value, index) => value / (scales[Math.floor(index / columns)] ?? 1))
}

/** There are only 65,536 of them: a table beats converting millions one by one. */
function convertHalves(bits: Uint16Array): Float32Array {
  const table = Float32Array.from({ length: 2 ** 16 }, (_, half) => halfToFloat(half))
  const values = new Float32Array(bits.length)
  for (let index = 0; index < bits.length; index += 1) values[index] = table[bits[index] as number] as number
  return values
}

const HALF_MANTISSA_BITS = 10

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> HALF_MANTISSA_BITS) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}
