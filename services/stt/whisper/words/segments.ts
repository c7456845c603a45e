/** A phrase between two timestamps. Times are seconds from the window's start. */
export interface Segment {
  readonly startSeconds: number
  readonly endSeconds: number
  /** With its timestamps. */
  readonly tokens: readonly number[]
}

export interface SplitTokens {
  readonly segments: readonly Segment[]
  /** Where an unfinished phrase begins that the next window must start with; `undefined` when all was said. */
  readonly unfinishedAtSeconds: number | undefined
}

export const SECONDS_PER_POSITION = 0.02

/**
 * Cuts a decoded text at its timestamps. Two timestamps in a row part phrases; a text that ends with such a pair was
 * cut off by the window's end.
 */
export function splitSegments(tokens: readonly number[], firstTimestamp: number, windowSeconds: number): SplitTokens {
  const isTime = (at: number): boolean => (tokens[at] ?? -1) >= firstTimestamp
  const seconds = (at: number): number => ((tokens[at] ?? firstTimestamp) - firstTimestamp) * SECONDS_PER_POSITION
  const endsWithSingleTime = tokens.length >= 2 && isTime(tokens.length - 1) && !isTime(tokens.length - 2)
  const cuts = tokens.flatMap((_, at) => (at > 0 && isTime(at) && isTime(at - 1) ? [at] : []))

  if (cuts.length === 0) {
    const last = tokens.findLastIndex((_, at) => isTime(at))
    const endSeconds = last >= 0 && seconds(last) > 0 ? seconds(last) : windowSeconds
    return { segments: [{ startSeconds: 0, endSeconds, tokens }], unfinishedAtSeconds: undefined }
  }
  const ends = endsWithSingleTime ? [...cuts, tokens.length] : cuts
  const segments = ends.map((end, index) => {
    const start = ends[index - 1] ?? 0
    return { startSeconds: seconds(start), endSeconds: seconds(end - 1), tokens: tokens.slice(start, end) }
  })
  const lastEnd = segments.at(-1)?.endSeconds
  return { segments, unfinishedAtSeconds: endsWithSingleTime ? undefined : lastEnd }
}
