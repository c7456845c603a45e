/** So many texts are written together: a third saves little more, and takes ten megabytes of each worker. */
const MOST_TOGETHER = 2

/**
 * Deals pieces, the longest first, to groups that are written together: as many at a time as there are workers, so that
 * those of a round take about the same time, and each of pieces of about the same length.
 */
export function dealPieces<P>(pieces: readonly P[], workers: number): P[][] {
  const rounds = Math.ceil(pieces.length / (workers * MOST_TOGETHER))
  const size = Math.ceil(pieces.length / rounds)
  return Array.from({ length: rounds }, (_, round) => pieces.slice(round * size, (round + 1) * size)).flatMap(
    (dealt) => {
      const groups: P[][] = Array.from({ length: Math.min(workers, dealt.length) }, () => [])
      for (const [index, piece] of dealt.entries()) {
        const place = index % groups.length
        // There and back, so that nobody always has the longer one.
        const isBack = Math.floor(index / groups.length) % 2 === 1
        groups[isBack ? groups.length - 1 - place : place]?.push(piece)
      }
      return groups
    },
  )
}
