/** One after the other. */
export function joinSamples(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** A few milliseconds of copying. */
const STEP_BYTES = 4 << 20

/** As {@link joinSamples}, for any bytes, with room for other work in between: a long recording takes 0.1 s. */
export async function joinGradually<T extends Float32Array | Uint8Array>(parts: readonly T[], whole: T): Promise<T> {
  let offset = 0
  let copiedBytes = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
    copiedBytes += part.byteLength
    if (copiedBytes < STEP_BYTES) continue
    copiedBytes = 0
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  return whole
}
