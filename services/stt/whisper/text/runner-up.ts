import { isLikelier, type Rewrite, type Written } from './branches.ts'
import { totalOf } from './generate.ts'

/** Each is one more text to write. */
const MAX_BRANCHES = 3

/**
 * The likeliest token each time does not make the likeliest text. Where another token was nearly as likely the text is
 * written once more with that one, the closest first, and the likelier text counts: what a beam search finds, for the work
 * of few more words, because the rest is mostly the same.
 */
export async function likelierByRunnersUp<W extends Written>(own: W, rewrite: Rewrite<W>): Promise<W> {
  const tried = new Set<number>()
  let best = own
  for (let branch = 0; branch < MAX_BRANCHES; branch += 1) {
    const { runnersUp, looped } = best.generation
    if (looped) return best
    const [closest] = runnersUp
      .flatMap((runnerUp, place) => (runnerUp && !tried.has(place) ? [{ ...runnerUp, place }] : []))
      .toSorted((one, other) => one.behind - other.behind)
    if (!closest) return best
    const { place, token } = closest
    tried.add(place)
    const floor = totalOf(best.generation)
    const other = await rewrite(best, { place, given: [token], resume: place + 1, floor })
    if (!isLikelier(other, floor)) continue
    best = other
    for (const later of tried) if (later > place) tried.delete(later)
  }
  return best
}
