import { systemClock } from '../../../services/wire/clock.ts'

/**
 * Programs are read while the children they wait for start, and not before those are on their way: reading keeps the
 * thread busy, and a database that starts in steps would wait for its turn at each. Real time: it is about this thread,
 * not about the emulated world.
 */
const CHILDREN_FIRST_MS = 50

/** A failure is thrown where the program is needed, not here. */
export function loadAfterChildren<T>(spec: { load(): Promise<T> }): Promise<T> {
  const program = systemClock.sleep(CHILDREN_FIRST_MS).then(() => spec.load())
  program.catch(() => undefined)
  return program
}
