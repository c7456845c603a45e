import type { Ids } from '../../services/wire/runtime.ts'

const BYTES = 6

/** Uniform in [0, 1), from the environment's source of chance. */
export function createRandom(ids: Ids): () => number {
  return () => Number.parseInt(ids.hex(BYTES), 16) / 2 ** (8 * BYTES)
}
