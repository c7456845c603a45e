import { addMedians } from './median-filter.ts'

/** What one token attended to: [heads, positions]. */
export interface AlignmentInput {
  /** One entry for each decoder input, in order. */
  readonly attention: readonly Float32Array[]
  readonly heads: number
  readonly positions: number
  /** Positions that hold audio; the rest is padding. */
  readonly audioPositions: number
  /** Which entries to place in time, in order. */
  readonly rows: readonly number[]
}

/**
 * The position where each of `rows` begins. The attention of each head is standardised over all tokens, smoothed over
 * time, averaged over the heads, and the cheapest monotonous path through it taken (dynamic time warping).
 */
export function alignTokens(input: AlignmentInput): number[] {
  const width = Math.max(1, Math.min(input.audioPositions, input.positions))
  const scores = headAverage(input, width)
  return pathStarts(scores, input.rows.length, width)
}

function headAverage({ attention, heads, positions, rows }: AlignmentInput, width: number): Float32Array {
  const sum = new Float32Array(rows.length * width)
  const tokens = new Float32Array(attention.length * width)
  for (let head = 0; head < heads; head += 1) {
    for (const [token, values] of attention.entries()) {
      const onAudio = values.subarray(head * positions, head * positions + width)
      setShares(tokens.subarray(token * width, (token + 1) * width), onAudio)
    }
    standardise(tokens, width)
    for (const [index, row] of rows.entries()) {
      addMedians(tokens.subarray(row * width, (row + 1) * width), sum.subarray(index * width, (index + 1) * width))
    }
  }
  return sum
}

/** What a token attended to within the audio, as shares of 1: some heads rest on the padding. */
function setShares(shares: Float32Array, onAudio: Float32Array): void {
  let sum = 0
  for (const value of onAudio) sum += value
  // Attention that is all elsewhere stays zero.
  const factor = sum > 0 ? 1 / sum : 0
  for (let at = 0; at < shares.length; at += 1) shares[at] = (onAudio[at] as number) * factor
}

/** Subtracts the mean of all tokens at each position and divides by their standard deviation. */
function standardise(tokens: Float32Array, width: number): void {
  const count = tokens.length / width
  const mean = new Float64Array(width)
  const factor = new Float64Array(width)
  for (let start = 0; start < tokens.length; start += width) {
    for (let at = 0; at < width; at += 1) mean[at] = (mean[at] as number) + (tokens[start + at] as number) / count
  }
  for (let start = 0; start < tokens.length; start += width) {
    for (let at = 0; at < width; at += 1) {
      const difference = (tokens[start + at] as number) - (mean[at] as number)
      tokens[start + at] = difference
      factor[at] = (factor[at] as number) + (difference * difference) / count
    }
  }
  // A position that all tokens attend to alike says nothing; 1 only avoids 0 / 0.
  for (let at = 0; at < width; at += 1) factor[at] = 1 / (Math.sqrt(factor[at] as number) || 1)
  for (let start = 0; start < tokens.length; start += width) {
    for (let at = 0; at < width; at += 1) tokens[start + at] = (tokens[start + at] as number) * (factor[at] as number)
  }
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
