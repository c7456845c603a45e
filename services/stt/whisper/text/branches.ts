import { totalOf, type Branch, type Generation } from './generate.ts'

/** A text with what it was written by. */
export interface Written {
  readonly generation: Generation
}

/** Writes a text once more, from a place on with other tokens. */
export type Rewrite<W extends Written> = (text: W, branch: Omit<Branch, 'from'>) => Promise<W>

/** Whether a text is likelier than the floor of its branch. */
export function isLikelier({ generation }: Written, floor: number): boolean {
  return !generation.isGivenUp && !generation.looped && totalOf(generation) > floor
}
