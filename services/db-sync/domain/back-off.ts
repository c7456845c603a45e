const FIRST_MS = 100
const MAX_MS = 5_000

/**
 * How long to wait before attempt number `attempt`, counted from 0: twice as long each time, up to 5 s. `chance`, from 0
 * to 1, takes away up to half, so that replicas that lost the same server do not come back in step.
 */
export function backOffMs(attempt: number, chance: number): number {
  const longestMs = Math.min(FIRST_MS * 2 ** attempt, MAX_MS)
  return longestMs * (1 - chance / 2)
}
