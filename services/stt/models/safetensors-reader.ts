import { basename, dirname, join } from 'node:path'
import { openBytes, type ByteReader } from './byte-reader.ts'
import { ModelError } from './errors.ts'
import { brainFloatsToFloats, halvesToFloats } from './halves.ts'
import { isObject, parseObject, readText } from './json-file.ts'
import type { Weights } from './source.ts'

/** Fifty times what the largest Whisper needs; the format itself allows 100 MB. */
const MAX_HEADER_BYTES = 8 * 1024 * 1024
/** The length of the header, before it. */
const LENGTH_BYTES = 8
const MAX_SHARDS = 100

const INDEX_SUFFIX = '.index.json'

const BYTES_BY_TYPE = { F32: 4, F16: 2, BF16: 2 } as const

type FloatType = keyof typeof BYTES_BY_TYPE

interface Entry {
  readonly reader: ByteReader
  readonly type: string
  readonly shape: readonly number[]
  readonly offset: number
  readonly bytes: number
}

/** One file, or the shards of one model. */
export interface Safetensors extends Weights {
  readonly files: readonly string[]
  close(): Promise<void>
}

/**
 * Opens a `.safetensors` file, or with a `.safetensors.index.json` all the shards it lists. Layout: u64 length of the
 * header; the header, JSON of name → dtype, shape, data_offsets [begin, end] behind the header; the data.
 *
 * @throws ModelError for headers that lie about sizes, truncated files and shards that are missing
 */
export async function openSafetensors(path: string): Promise<Safetensors> {
  const files = path.endsWith(INDEX_SUFFIX) ? await shardsOf(path) : [path]
  const readers: ByteReader[] = []
  const close = async (): Promise<void> => void (await Promise.all(readers.map((reader) => reader.close())))
  try {
    const entries = new Map<string, Entry>()
    for (const file of files) {
      const reader = await openBytes(file)
      readers.push(reader)
      for (const [name, entry] of await readHeader(reader)) entries.set(name, entry)
    }
    return { files, ...weightsOf(path, entries), close }
  } catch (error) {
    await close()
    throw error
  }
}

function weightsOf(path: string, entries: ReadonlyMap<string, Entry>): Weights {
  const find = (name: string): Entry => {
    const entry = entries.get(name)
    if (entry) return entry
    throw new ModelError(`${path} has no tensor "${name}": it is not a Whisper model.`)
  }
  return {
    has: (name) => entries.has(name),
    shape: (name) => find(name).shape,
    async read(name) {
      const { reader, type, shape, offset, bytes } = find(name)
      if (!isFloatType(type)) {
        throw new ModelError(
          `${reader.path}: "${name}" is of type ${type}; known: ${Object.keys(BYTES_BY_TYPE).join(', ')}.`,
        )
      }
      const { buffer } = await reader.readAt(offset, bytes)
      if (type === 'F32') return { shape, values: new Float32Array(buffer) }
      const bits = new Uint16Array(buffer)
      return { shape, values: type === 'F16' ? halvesToFloats(bits) : brainFloatsToFloats(bits) }
    },
  }
}

async function readHeader(reader: ByteReader): Promise<Map<string, Entry>> {
  const { path, size } = reader
  const length = (await reader.take(LENGTH_BYTES)).readBigUInt64LE()
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new ModelError(
      `${path} is corrupt: its header would have ${length} bytes; at most ${MAX_HEADER_BYTES} are read.`,
    )
  }
  const header = parseObject(`The header of ${path}`, (await reader.take(Number(length))).toString('utf8'))
  const start = reader.position
  const entries = new Map<string, Entry>()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue
    entries.set(name, { reader, ...parseEntry(`${path}: "${name}"`, value, { start, size }) })
  }
  return entries
}

function parseEntry(
  what: string,
  value: unknown,
  { start, size }: { readonly start: number; readonly size: number },
): Omit<Entry, 'reader'> {
  if (!isObject(value)) throw new ModelError(`${what} is corrupt: its entry is no object.`)
  const { dtype: type, shape, data_offsets: place } = value
  const [begin, end, more] = isSizes(place) ? place : []
  if (typeof type !== 'string' || !isSizes(shape) || begin === undefined || end === undefined || more !== undefined) {
    throw new ModelError(`${what} is corrupt: it needs dtype, shape and data_offsets.`)
  }
  const bytes = end - begin
  if (bytes < 0 || start + end > size)
    throw new ModelError(`${what} is truncated: it ends at byte ${start + end} of ${size}.`)
  const expected = isFloatType(type) ? shape.reduce((product, length) => product * length, BYTES_BY_TYPE[type]) : bytes
  if (bytes !== expected)
    throw new ModelError(`${what} is corrupt: it has ${bytes} bytes, its shape needs ${expected}.`)
  return { type, shape, offset: start + begin, bytes }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && Number(item) >= 0)
}

function isFloatType(type: string): type is FloatType {
  return Object.hasOwn(BYTES_BY_TYPE, type)
}

async function shardsOf(path: string): Promise<string[]> {
  const text = await readText(path)
  if (text === undefined) throw new ModelError(`Cannot open ${path}.`)
  const { weight_map: map } = parseObject(path, text)
  const names = isObject(map) ? [...new Set(Object.values(map))] : []
  if (names.length === 0 || names.length > MAX_SHARDS) {
    throw new ModelError(`${path}: "weight_map" must say which of at most ${MAX_SHARDS} files each tensor is in.`)
  }
  return names.map((name) => {
    // Shards lie beside their index, whatever it says.
    if (typeof name === 'string' && name === basename(name) && name.endsWith('.safetensors'))
      return join(dirname(path), name)
    throw new ModelError(`${path}: "weight_map" names ${JSON.stringify(name)}, which is no file beside it.`)
  })
}
