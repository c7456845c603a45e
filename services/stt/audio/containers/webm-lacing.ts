const XIPH = 1
const FIXED = 2
const EBML = 3

/** The frames of a block (RFC 9559 §10.1) when it belongs to the track; what does not fit itself is left out. */
export function framesOf(block: Uint8Array, track: number): Uint8Array[] {
  const number = readVint(block, 0)
  if (!number || number.value !== track) return []
  // Two bytes of time and one of flags follow the track.
  const flags = block[number.end + 2]
  if (flags === undefined) return []
  const start = number.end + 3
  const lacing = (flags >> 1) & 3
  if (lacing === 0) return [block.subarray(start)]
  const count = (block[start] ?? 0) + 1
  const sizes = sizesOf(block, { lacing, count, start: start + 1 })
  return sizes ? cut(block, sizes) : []
}

interface Laced {
  /** Of all frames but the last. */
  readonly sizes: readonly number[]
  readonly start: number
}

function sizesOf(block: Uint8Array, at: { lacing: number; count: number; start: number }): Laced | undefined {
  if (at.lacing === XIPH) return xiphSizes(block, at)
  if (at.lacing === EBML) return ebmlSizes(block, at)
  if (at.lacing !== FIXED) return undefined
  const size = (block.length - at.start) / at.count
  return Number.isInteger(size) ? { sizes: Array<number>(at.count - 1).fill(size), start: at.start } : undefined
}

function xiphSizes(block: Uint8Array, { count, start }: { count: number; start: number }): Laced | undefined {
  const sizes: number[] = []
  let offset = start
  for (let index = 0; index < count - 1; index += 1) {
    let size = 0
    for (let byte = 255; byte === 255; offset += 1) {
      if (offset >= block.length) return undefined
      byte = block[offset] ?? 0
      size += byte
    }
    sizes.push(size)
  }
  return { sizes, start: offset }
}

/** The first size, then differences to the one before. */
function ebmlSizes(block: Uint8Array, { count, start }: { count: number; start: number }): Laced | undefined {
  const sizes: number[] = []
  let offset = start
  for (let index = 0; index < count - 1; index += 1) {
    const read = readVint(block, offset)
    if (!read) return undefined
    const bias = 2 ** (7 * (read.end - offset) - 1) - 1
    sizes.push(index === 0 ? read.value : (sizes.at(-1) ?? 0) + read.value - bias)
    offset = read.end
  }
  return { sizes, start: offset }
}

function cut(block: Uint8Array, { sizes, start }: Laced): Uint8Array[] {
  const frames: Uint8Array[] = []
  let offset = start
  for (const size of sizes) {
    if (size < 0 || offset + size > block.length) return frames
    frames.push(block.subarray(offset, offset + size))
    offset += size
  }
  return [...frames, block.subarray(offset)]
}

function readVint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  const first = bytes[start]
  if (!first) return undefined
  const length = Math.clz32(first) - 23
  if (start + length > bytes.length) return undefined
  let value = first & (0xff >> length)
  for (const byte of bytes.subarray(start + 1, start + length)) value = value * 256 + byte
  return { value, end: start + length }
}
