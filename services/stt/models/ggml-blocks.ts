import { halfTable } from './halves.ts'

/** How ggml packs numbers: a block of so many numbers in so many bytes. */
export interface BlockFormat {
  readonly name: string
  readonly numbers: number
  readonly bytes: number
  /** Unpacks whole blocks. */
  unpack(bytes: Uint8Array<ArrayBuffer>): Float32Array
}

/** Numbers in a block of every quantised type here. */
const BLOCK = 32
const HALF_BLOCK = BLOCK / 2

/** One block: where its bytes begin, and where its numbers go. */
type UnpackBlock = (view: DataView, at: number, into: Float32Array) => void

/** By ggml's type number. Two halves of a block share a byte: the first has the low four bits. */
export const BLOCK_FORMATS: ReadonlyMap<number, BlockFormat> = new Map([
  [
    2,
    blocks('q4_0', 18, (view, at, into) =>
      unpackNibbles({ view, packed: at + 2, into }, half(view, at), -8 * half(view, at)),
    ),
  ],
  [
    3,
    blocks('q4_1', 20, (view, at, into) =>
      unpackNibbles({ view, packed: at + 4, into }, half(view, at), half(view, at + 2)),
    ),
  ],
  [
    6,
    blocks('q5_0', 22, (view, at, into) =>
      unpackNibbles(
        { view, packed: at + 6, into, high: view.getUint32(at + 2, true) },
        half(view, at),
        -16 * half(view, at),
      ),
    ),
  ],
  [
    7,
    blocks('q5_1', 24, (view, at, into) =>
      unpackNibbles(
        { view, packed: at + 8, into, high: view.getUint32(at + 4, true) },
        half(view, at),
        half(view, at + 2),
      ),
    ),
  ],
  [8, blocks('q8_0', 34, unpackBytes)],
])

/** Numbers of four bits, and where `high` is given a fifth one for each from there. */
interface Nibbles {
  readonly view: DataView
  readonly packed: number
  readonly into: Float32Array
  readonly high?: number
}

function unpackNibbles({ view, packed, into, high = 0 }: Nibbles, scale: number, offset: number): void {
  for (let index = 0; index < HALF_BLOCK; index += 1) {
    const byte = view.getUint8(packed + index)
    const low = (byte & 0xf) | (((high >>> index) & 1) << 4)
    const upper = (byte >> 4) | (((high >>> (index + HALF_BLOCK)) & 1) << 4)
    into[index] = low * scale + offset
    into[index + HALF_BLOCK] = upper * scale + offset
  }
}

function unpackBytes(view: DataView, at: number, into: Float32Array): void {
  const scale = half(view, at)
  for (let index = 0; index < BLOCK; index += 1) into[index] = view.getInt8(at + 2 + index) * scale
}

function half(view: DataView, at: number): number {
  return halfTable()[view.getUint16(at, true)] ?? 0
}

function blocks(name: string, bytes: number, unpackBlock: UnpackBlock): BlockFormat {
  return {
    name,
    numbers: BLOCK,
    bytes,
    unpack(packed) {
      const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
      const values = new Float32Array((packed.byteLength / bytes) * BLOCK)
      for (let block = 0; block * bytes < packed.byteLength; block += 1) {
        unpackBlock(view, block * bytes, values.subarray(block * BLOCK, (block + 1) * BLOCK))
      }
      return values
    },
  }
}
