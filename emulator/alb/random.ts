import type { Ids } from '../../services/wire/runtime.ts'

/** As many as `Buffer.readUIntBE` reads. */
const BYTES = 6
/** Drawn at a time: asking the source costs more than a request's whole routing. */
const DRAWS = 256

/** Uniform in [0, 1), from the environment's source of chance. */
export function createRandom(ids: Ids): () => number {
  let drawn = Buffer.alloc(0)
  let next = 0
  return () => {
    if (next === drawn.length) {
      drawn = Buffer.from(ids.hex(BYTES * DRAWS), 'hex')
      next = 0
    }
    next += BYTES
    return drawn.readUIntBE(next - BYTES, BYTES) / 2 ** (8 * BYTES)
  }
}
