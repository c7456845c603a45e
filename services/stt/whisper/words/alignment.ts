import { createMedianRow } from './median-filter.ts'

/** What one token attended to: [heads, positions]. */
export interface AlignmentInput {
  /** One entry for each decoder input, in order. */
  readonly attention: readonly Float32Array[]
  readonly heads: number
  readonly positions: number
  /** Positions that hold audio; the rest is padding. */
  readonly audioPositions: number
  /** Where the first of `rows` may begin. */
  readonly firstPosition?: number
  /** Which entries to place in time, in order. */
  readonly rows: readonly number[]
}

/**
 * The position where each of `rows` begins. The attention of each head is standardised over all tokens, smoothed over
 * time, averaged over the heads, and the cheapest monotonous path through it taken (dynamic time warping).
 */
export function alignTokens(input: AlignmentInput): number[] {
  const end = Math.max(1, Math.min(input.audioPositions, input.positions))
  const first = Math.min(input.firstPosition ?? 0, end - 1)
  const width = end - first
  const scores = headAverage(input, first, width)
  return pathStarts(scores, input.rows.length, width).map((start) => first + start)
}

function headAverage(
  { attention, heads, positions, rows }: AlignmentInput,
  first: number,
  width: number,
): Float32Array {
  const sum = new Float32Array(rows.length * width)
  const shares = new Float32Array(attention.length * width)
  const row = createMedianRow(width)
  for (let head = 0; head < heads; head += 1) {
    const { mean, factor } = fillShares(shares, attention, head * positions + first, width)
    for (const [index, token] of rows.entries()) {
      const start = token * width
      for (let at = 0; at < width; at += 1) {
        row.values[at] = ((shares[start + at] as number) - (mean[at] as number)) * (factor[at] as number)
      }
      row.addTo(sum.subarray(index * width, (index + 1) * width))
    }
  }
  return sum
}

/** What standardises one position over all tokens: its mean, and one over its standard deviation. */
interface Statistics {
  readonly mean: Float64Array
  readonly factor: Float64Array
}

/**
 * Fills [tokens, width] with what each token attended to within the audio, as shares of 1: some heads rest on the
 * padding.
 *
 * @param from where in each entry of `attention` the head's audio begins
 */
function fillShares(shares: Float32Array, attention: readonly Float32Array[], from: number, width: number): Statistics {
  const mean = new Float64Array(width)
  const factor = new Float64Array(width)
  let start = 0
  for (const values of attention) {
    let sum = 0
    for (let at = 0; at < width; at += 1) sum += values[from + at] as number
    // Attention that is all elsewhere stays zero.
    const scale = sum > 0 ? 1 / sum : 0
    for (let at = 0; at < width; at += 1) {
      const share = (values[from + at] as number) * scale
      shares[start + at] = share
      mean[at] = (mean[at] as number) + share
      factor[at] = (factor[at] as number) + share * share
    }
    start += width
  }
  const count = attention.length
  for (let at = 0; at < width; at += 1) {
    const average = (mean[at] as number) / count
    const variance = (factor[at] as number) / count - average * average
    mean[at] = average
    // A position that all tokens attend to alike says nothing; 1 only avoids 0 / 0.
    factor[at] = variance > 0 ? 1 / Math.sqrt(variance) : 1
  }
  return { mean, factor }
}

const STEP_BOTH = 0
const STEP_TOKEN = 1
const STEP_TIME = 2

/** The path that gathers the largest sum; returns where it enters each row. */
function pathStarts(scores: Float32Array, rows: number, width: number): number[] {
  const stride = width + 1
  const steps = new Uint8Array((rows + 1) * stride)
  let above = new Float64Array(stride).fill(Number.NEGATIVE_INFINITY)
  let current = new Float64Array(stride)
  above[0] = 0
  for (let row = 1; row <= rows; row += 1) {
    current[0] = Number.NEGATIVE_INFINITY
    for (let at = 1; at <= width; at += 1) {
      const both = above[at - 1] as number
      const token = above[at] as number
      const time = current[at - 1] as number
      let best = both
      let step = STEP_BOTH
      if (both <= token || both <= time) {
        step = token > both && token > time ? STEP_TOKEN : STEP_TIME
        best = step === STEP_TOKEN ? token : time
      }
      current[at] = best + (scores[(row - 1) * width + at - 1] as number)
      steps[row * stride + at] = step
    }
    ;[above, current] = [current, above]
  }

  const starts = Array.from({ length: rows }, () => 0)
  let row = rows
  let at = width
  while (row > 0 && at > 0) {
    starts[row - 1] = at - 1
    const step = steps[row * stride + at]
    if (step !== STEP_TIME) row -= 1
    if (step !== STEP_TOKEN) at -= 1
  }
  return starts
}
