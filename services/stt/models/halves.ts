const HALF_MANTISSA_BITS = 10

/** Little-endian IEEE 754 half precision. */
export function halvesToFloats(bits: Uint16Array): Float32Array {
  const table = halfTable()
  const values = new Float32Array(bits.length)
  for (let index = 0; index < bits.length; index += 1) values[index] = table[bits[index] as number] as number
  return values
}

/** The upper half of a single-precision number. */
export function brainFloatsToFloats(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer)
}

let filled: Float32Array | undefined

/** There are only 65,536 of them: a table beats converting millions one by one. */
export function halfTable(): Float32Array {
  filled ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => halfToFloat(half))
  return filled
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> HALF_MANTISSA_BITS) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}
