import { openBytes, type ByteReader } from './byte-reader.ts'
import { ModelError } from './errors.ts'
import { brainFloatsToFloats, halvesToFloats } from './halves.ts'
import type { Weights } from './source.ts'

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

interface Variable {
  readonly shape: readonly number[]
  readonly type: number
  readonly offset: number
  readonly bytes: number
}

/** An open CTranslate2 model: the table of contents in memory, weights read on demand. */
export interface Ct2Model extends Weights {
  /** Such as `WhisperSpec`. */
  readonly spec: string
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
  const reader = await openBytes(path)
  try {
    return await readContents(reader)
  } catch (error) {
    await reader.close()
    throw error
  }
}

async function readContents(reader: ByteReader): Promise<Ct2Model> {
  const { path } = reader
  const version = await reader.uint32()
  if (version < OLDEST_FORMAT || version > NEWEST_FORMAT) {
    throw new ModelError(
      `${path} is not a CTranslate2 model this converter knows: its format version is ${version}, ` +
        `versions ${OLDEST_FORMAT} and ${NEWEST_FORMAT} are.`,
    )
  }
  const spec = await readString(reader)
  await reader.uint32()
  const count = await reader.uint32()
  if (count > MAX_VARIABLES) throw new ModelError(`${path} is corrupt: it announces ${count} variables.`)

  const variables = new Map<string, Variable>()
  for (let index = 0; index < count; index += 1) {
    const name = await readString(reader)
    variables.set(name, await readVariable(reader, name))
  }
  const aliases = await reader.uint32()
  for (let index = 0; index < aliases; index += 1) {
    const alias = await readString(reader)
    const target = variables.get(await readString(reader))
    if (target) variables.set(alias, target)
  }

  const find = (name: string): Variable => {
    const variable = variables.get(name)
    if (!variable) throw new ModelError(`${path} has no tensor "${name}": it is not a Whisper model.`)
    return variable
  }
  return {
    spec,
    has: (name) => variables.has(name),
    shape: (name) => find(name).shape,
    async read(name) {
      const variable = find(name)
      const bytes = await reader.readAt(variable.offset, variable.bytes)
      if (variable.type !== INT8) return { shape: variable.shape, values: toFloat32(name, variable.type, bytes) }
      const scale = find(`${name}_scale`)
      const scales = toFloat32(`${name}_scale`, scale.type, await reader.readAt(scale.offset, scale.bytes))
      return { shape: variable.shape, values: dequantise(new Int8Array(bytes.buffer), scales) }
    },
    close: () => reader.close(),
  }
}

async function readString(reader: ByteReader): Promise<string> {
  const bytes = (await reader.take(2)).readUInt16LE()
  if (bytes === 0 || bytes > MAX_NAME_BYTES)
    throw new ModelError(`${reader.path} is corrupt at byte ${reader.position}.`)
  return (await reader.take(bytes)).subarray(0, bytes - 1).toString('utf8')
}

async function readVariable(reader: ByteReader, name: string): Promise<Variable> {
  const { path, size } = reader
  const rank = (await reader.take(1)).readUInt8()
  if (rank > MAX_RANK) throw new ModelError(`${path} is corrupt: "${name}" has ${rank} dimensions.`)
  const shape: number[] = []
  for (let axis = 0; axis < rank; axis += 1) shape.push(await reader.uint32())
  const type = (await reader.take(1)).readUInt8()
  const bytes = await reader.uint32()
  const expected = (BYTES_BY_TYPE.get(type) ?? 0) * shape.reduce((product, length) => product * length, 1)
  if (bytes !== expected) {
    throw new ModelError(`${path} is corrupt: "${name}" has ${bytes} bytes, its shape needs ${expected}.`)
  }
  const offset = reader.position
  if (offset + bytes > size) throw new ModelError(`${path} is truncated in "${name}".`)
  reader.seek(offset + bytes)
  return { shape, type, offset, bytes }
}

function toFloat32(name: string, type: number, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  if (type === FLOAT32) return new Float32Array(bytes.buffer)
  const bits = new Uint16Array(bytes.buffer)
  if (type === FLOAT16) return halvesToFloats(bits)
  if (type === BFLOAT16) return brainFloatsToFloats(bits)
  throw new ModelError(`Tensor "${name}" holds no weights (CTranslate2 type ${type}).`)
}

/** CTranslate2 keeps `round(weight × scale)`, one scale per row. */
function dequantise(quantised: Int8Array, scales: Float32Array): Float32Array {
  const columns = quantised.length / scales.length
  return Float32Array.from(quantised, (value, index) => value / (scales[Math.floor(index / columns)] ?? 1))
}
