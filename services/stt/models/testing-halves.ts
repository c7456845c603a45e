/** The nearest half-precision number, ties to even, as its bits. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  // Halves above 65,504 are infinite; none of the weights here is.
  if (size >= 65_520) return sign | 0x7c00
  const exponent = Math.max(Math.floor(Math.log2(size || 2 ** -24)), -14)
  const step = 2 ** (exponent - 10)
  // A mantissa that rounds up to the next power of two carries into the exponent by itself.
  const steps = roundToEven(size / step)
  return sign | (exponent === -14 ? steps : ((exponent + 15) << 10) + (steps - 1024))
}

function roundToEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rest !== 0.5) return rest > 0.5 ? below + 1 : below
  return below % 2 === 0 ? below : below + 1
}

export type FloatFormat = 'f32' | 'f16' | 'bf16'

/** Numbers as files have them, little endian. */
export function encodeFloats(values: Float32Array, format: FloatFormat): Uint8Array {
  if (format === 'f32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const bits = new Uint16Array(values.length)
  if (format === 'f16') {
    for (let index = 0; index < values.length; index += 1) bits[index] = toHalf(values[index] ?? 0)
  } else {
    // Cut off, not rounded: within one unit of the last place.
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
    for (let index = 0; index < values.length; index += 1) bits[index] = (words[index] ?? 0) >>> 16
  }
  return new Uint8Array(bits.buffer)
}
