import type { Ids } from '../wire/runtime.ts'

/** From 0 to 1. */
export function chanceOf(ids: Ids): number {
  return Number.parseInt(ids.hex(BYTES), 16) / (2 ** (8 * BYTES) - 1)
}

const BYTES = 4
