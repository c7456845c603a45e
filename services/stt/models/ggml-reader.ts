import { openBytes, type ByteReader } from './byte-reader.ts'
import { ModelError } from './errors.ts'
import { BLOCK_FORMATS, type BlockFormat } from './ggml-blocks.ts'
import { halvesToFloats } from './halves.ts'
import type { Weights } from './source.ts'

/** The letters `ggml`, most significant first. */
export const GGML_MAGIC = 0x67_67_6d_6c
const FLOAT32 = 0
const FLOAT16 = 1

/** Believed of a header; beyond these the file is not what it claims to be. */
const MAX_TOKENS = 100_000
const MAX_TOKEN_BYTES = 1024
const MAX_NAME_BYTES = 128
const MAX_RANK = 4
const MAX_TENSORS = 10_000
const MAX_FILTER_NUMBERS = 1_000_000

/** Numbers of the header, in its order. */
const HYPERPARAMETERS = [
  'vocabulary',
  'audioPositions',
  'audioState',
  'audioHeads',
  'audioLayers',
  'textPositions',
  'textState',
  'textHeads',
  'textLayers',
  'mels',
  'type',
] as const

/** An open ggml file: its table of contents in memory, tensors read on demand under OpenAI's names. */
export interface GgmlModel extends Weights {
  /** Size of the vocabulary with the tokens that the file does not spell. */
  readonly vocabulary: number
  /** Text tokens, each character one byte. */
  readonly texts: readonly string[]
  /** Of most of its numbers: `f16`, `q5_1`. */
  readonly precision: string
  close(): Promise<void>
}

interface Entry {
  readonly shape: readonly number[]
  readonly type: number
  readonly offset: number
  readonly bytes: number
}

/**
 * Opens a file of whisper.cpp. Layout, little endian: u32 magic; eleven i32; the mel filters as two i32 and that many
 * f32; u32 count of tokens, each a u32 length and its bytes; then tensors until the file ends: i32 rank, i32 length of
 * the name, i32 type, i32 per dimension from the innermost on, name, numbers.
 *
 * @throws ModelError for truncated and oversized files and types that are not known
 */
export async function openGgml(path: string): Promise<GgmlModel> {
  const reader = await openBytes(path)
  try {
    return await readContents(reader)
  } catch (error) {
    await reader.close()
    throw error
  }
}

async function readContents(reader: ByteReader): Promise<GgmlModel> {
  const { path } = reader
  if ((await reader.uint32()) !== GGML_MAGIC) throw new ModelError(`${path} is no ggml file.`)
  const header = Buffer.from(await reader.take(4 * HYPERPARAMETERS.length))
  await skipFilters(reader)
  const texts = await readTexts(reader)
  const entries = new Map<string, Entry>()
  while (reader.position < reader.size) {
    if (entries.size === MAX_TENSORS)
      throw new ModelError(`${path} is corrupt: it has more than ${MAX_TENSORS} tensors.`)
    const [name, entry] = await readEntry(reader)
    entries.set(name, entry)
  }

  const find = (name: string): Entry => {
    const entry = entries.get(name)
    if (entry) return entry
    throw new ModelError(`${path} has no tensor "${name}": it is not a Whisper model, or was cut short.`)
  }
  return {
    vocabulary: header.readInt32LE(0),
    texts,
    precision: precisionOf([...entries.values()]),
    has: (name) => entries.has(name),
    shape: (name) => find(name).shape,
    async read(name) {
      const { shape, type, offset, bytes } = find(name)
      return { shape, values: unpack(type, await reader.readAt(offset, bytes)) }
    },
    close: () => reader.close(),
  }
}

async function skipFilters(reader: ByteReader): Promise<void> {
  const numbers = (await reader.uint32()) * (await reader.uint32())
  if (numbers > MAX_FILTER_NUMBERS)
    throw new ModelError(`${reader.path} is corrupt: its mel filters have ${numbers} numbers.`)
  reader.seek(reader.position + 4 * numbers)
}

async function readTexts(reader: ByteReader): Promise<string[]> {
  const count = await reader.uint32()
  if (count > MAX_TOKENS) throw new ModelError(`${reader.path} is corrupt: it announces ${count} tokens.`)
  const texts: string[] = []
  for (let id = 0; id < count; id += 1) {
    const bytes = await reader.uint32()
    if (bytes > MAX_TOKEN_BYTES) throw new ModelError(`${reader.path} is corrupt: token ${id} has ${bytes} bytes.`)
    texts.push((await reader.take(bytes)).toString('latin1'))
  }
  return texts
}

async function readEntry(reader: ByteReader): Promise<[name: string, entry: Entry]> {
  const { path } = reader
  const at = reader.position
  const rank = await reader.uint32()
  const nameBytes = await reader.uint32()
  const type = await reader.uint32()
  if (rank > MAX_RANK || nameBytes === 0 || nameBytes > MAX_NAME_BYTES)
    throw new ModelError(`${path} is corrupt at byte ${at}.`)
  const innermostFirst: number[] = []
  for (let axis = 0; axis < rank; axis += 1) innermostFirst.push(await reader.uint32())
  const name = (await reader.take(nameBytes)).toString('latin1')
  const bytes = packedBytes(`${path}: "${name}"`, type, innermostFirst)
  const offset = reader.position
  if (offset + bytes > reader.size) throw new ModelError(`${path} is truncated in "${name}".`)
  reader.seek(offset + bytes)
  return [name, { shape: innermostFirst.toReversed(), type, offset, bytes }]
}

function packedBytes(what: string, type: number, innermostFirst: readonly number[]): number {
  const numbers = innermostFirst.reduce((product, size) => product * size, 1)
  if (!Number.isSafeInteger(numbers))
    throw new ModelError(`${what} is corrupt: its sizes are ${innermostFirst.join(', ')}.`)
  if (type === FLOAT32) return 4 * numbers
  if (type === FLOAT16) return 2 * numbers
  const format = blockFormat(what, type)
  if ((innermostFirst[0] ?? 0) % format.numbers !== 0) {
    throw new ModelError(`${what} is corrupt: its rows are no whole blocks of ${format.name}.`)
  }
  return (numbers / format.numbers) * format.bytes
}

function blockFormat(what: string, type: number): BlockFormat {
  const format = BLOCK_FORMATS.get(type)
  if (format) return format
  const known = ['f32', 'f16', ...Array.from(BLOCK_FORMATS.values(), ({ name }) => name)].join(', ')
  throw new ModelError(`${what} is of ggml's type ${type}, which this converter does not read. It reads ${known}.`)
}

function unpack(type: number, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  if (type === FLOAT32) return new Float32Array(bytes.buffer)
  if (type === FLOAT16) return halvesToFloats(new Uint16Array(bytes.buffer))
  return blockFormat('A tensor', type).unpack(bytes)
}

function precisionOf(entries: readonly Entry[]): string {
  const largest = entries.toSorted((one, other) => other.bytes - one.bytes)[0]?.type ?? FLOAT32
  if (largest === FLOAT32) return 'f32'
  return largest === FLOAT16 ? 'f16' : blockFormat('A tensor', largest).name
}
