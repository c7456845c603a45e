import type { ByteReader } from './byte-reader.ts'
import { ModelError } from './errors.ts'

/** One field of a message: a number, or where its bytes lie in the file. */
export interface Field {
  readonly number: number
  /** Of varints, undefined for others. */
  readonly value: number | undefined
  readonly offset: number
  readonly bytes: number
}

const WIRE_VARINT = 0
const WIRE_64_BITS = 1
const WIRE_LENGTH_DELIMITED = 2
const WIRE_32_BITS = 5

const MAX_VARINT_BYTES = 10
const MAX_STRING_BYTES = 4096

/** The fields of the message between two places. Its bytes are skipped, not read. */
export async function* fieldsOf(reader: ByteReader, offset: number, bytes: number): AsyncGenerator<Field> {
  const end = offset + bytes
  let position = offset
  while (position < end) {
    reader.seek(position)
    const tag = await varint(reader)
    const field = await readField(reader, Math.floor(tag / 8), tag % 8)
    position = field.offset + field.bytes
    if (position > end) throw new ModelError(`${reader.path} is corrupt or truncated at byte ${field.offset}.`)
    yield field
  }
}

async function readField(reader: ByteReader, number: number, wireType: number): Promise<Field> {
  switch (wireType) {
    case WIRE_VARINT: {
      const value = await varint(reader)
      return { number, value, offset: reader.position, bytes: 0 }
    }
    case WIRE_64_BITS:
      return { number, value: undefined, offset: reader.position, bytes: 8 }
    case WIRE_LENGTH_DELIMITED: {
      const bytes = await varint(reader)
      return { number, value: undefined, offset: reader.position, bytes }
    }
    case WIRE_32_BITS:
      return { number, value: undefined, offset: reader.position, bytes: 4 }
    default:
      throw new ModelError(`${reader.path} is no ONNX file, or corrupt at byte ${reader.position}.`)
  }
}

export async function stringOf(reader: ByteReader, { offset, bytes }: Field): Promise<string> {
  if (bytes > MAX_STRING_BYTES)
    throw new ModelError(`${reader.path} is corrupt: a name at byte ${offset} has ${bytes} bytes.`)
  reader.seek(offset)
  return (await reader.take(bytes)).toString('utf8')
}

/** A repeated number: packed, or one of several fields. */
export async function numbersOf(reader: ByteReader, { value, offset, bytes }: Field): Promise<number[]> {
  if (value !== undefined) return [value]
  const numbers: number[] = []
  reader.seek(offset)
  while (reader.position < offset + bytes) numbers.push(await varint(reader))
  return numbers
}

/** Beyond 2^53 inexact, which no size here is. */
async function varint(reader: ByteReader): Promise<number> {
  let value = 0
  for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
    const byte = (await reader.take(1))[0] ?? 0
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return value
  }
  throw new ModelError(`${reader.path} is no ONNX file, or corrupt at byte ${reader.position}.`)
}
