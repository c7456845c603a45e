/** The 256 values of an 8-bit µ-law byte (ITU-T G.711), as fractions of full scale. */
export const MULAW: Float32Array = tableOf(decodeMulaw)

/** The 256 values of an 8-bit A-law byte (ITU-T G.711), as fractions of full scale. */
export const ALAW: Float32Array = tableOf(decodeAlaw)

function tableOf(decode: (byte: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => decode(byte) / 32_768)
}

// All bits are sent inverted; 33 (shifted to 132 in 16 bits) is the bias the encoder added.
function decodeMulaw(byte: number): number {
  const bits = ~byte & 0xff
  const exponent = (bits >> 4) & 7
  const magnitude = ((((bits & 15) << 3) + 132) << exponent) - 132
  return bits & 0x80 ? -magnitude : magnitude
}

// Every second bit is sent inverted (0x55); segment 0 is linear, the others carry a hidden leading one.
function decodeAlaw(byte: number): number {
  const bits = byte ^ 0x55
  const exponent = (bits >> 4) & 7
  const mantissa = ((bits & 15) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1)
  return bits & 0x80 ? magnitude : -magnitude
}
