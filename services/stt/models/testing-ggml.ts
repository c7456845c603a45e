import { encodeFloats, toHalf } from './testing-halves.ts'

export type Packing = 'f32' | 'f16' | 'q4_0' | 'q4_1' | 'q5_0' | 'q5_1' | 'q8_0'

const BLOCK = 32

/** Numbers as ggml packs them, with its number of the type. */
export function packBlocks(
  values: Float32Array,
  packing: Packing,
): { readonly type: number; readonly data: Uint8Array } {
  if (packing === 'f32' || packing === 'f16')
    return { type: packing === 'f32' ? 0 : 1, data: encodeFloats(values, packing) }
  if (packing === 'q8_0') return { type: 8, data: packBytes(values) }
  const type = { q4_0: 2, q4_1: 3, q5_0: 6, q5_1: 7 }[packing]
  return { type, data: packNibbles(values, packing.startsWith('q5') ? 5 : 4, packing.endsWith('_1')) }
}

function packBytes(values: Float32Array): Uint8Array {
  const data = Buffer.alloc((values.length / BLOCK) * 34)
  for (let block = 0; block * BLOCK < values.length; block += 1) {
    const numbers = values.subarray(block * BLOCK, (block + 1) * BLOCK)
    const scale = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
    data.writeUInt16LE(toHalf(scale), block * 34)
    numbers.forEach((value, index) =>
      data.writeInt8(scale === 0 ? 0 : Math.round(value / scale), block * 34 + 2 + index),
    )
  }
  return data
}

/** Symmetric around the middle level, or with the least number as offset. */
function packNibbles(values: Float32Array, bits: 4 | 5, hasOffset: boolean): Uint8Array {
  const levels = 2 ** bits
  const head = (hasOffset ? 4 : 2) + (bits === 5 ? 4 : 0)
  const blockBytes = head + BLOCK / 2
  const data = Buffer.alloc((values.length / BLOCK) * blockBytes)
  for (let block = 0; block * BLOCK < values.length; block += 1) {
    const at = block * blockBytes
    const numbers = values.subarray(block * BLOCK, (block + 1) * BLOCK)
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
    const scale = hasOffset ? (most - least) / (levels - 1) : Math.max(-least, most) / (levels / 2 - 1)
    const offset = hasOffset ? least : (-scale * levels) / 2
    data.writeUInt16LE(toHalf(scale), at)
    if (hasOffset) data.writeUInt16LE(toHalf(offset), at + 2)
    let high = 0
    numbers.forEach((value, index) => {
      const level = scale === 0 ? 0 : Math.min(levels - 1, Math.max(0, Math.round((value - offset) / scale)))
      const place = at + head + (index % 16)
      data[place] = (data[place] ?? 0) | ((level & 0xf) << (index < 16 ? 0 : 4))
      if (level > 0xf) high += 2 ** index
    })
    if (bits === 5) data.writeUInt32LE(high, at + head - 4)
  }
  return data
}
