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

/** Smooths over seven positions, 0.14 s. */
const MEDIAN_REACH = 3

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
  const padded = new Float32Array(width + 2 * MEDIAN_REACH)
  for (let head = 0; head < heads; head += 1) {
    const standard = standardise(attention.map((values) => onAudio(values, head * positions, width)))
    for (const [index, row] of rows.entries()) {
      const values = standard[row]
      if (!values) throw new RangeError(`There is no attention of token ${row}.`)
      padded.set(values, MEDIAN_REACH)
      mirrorEdges(padded, width)
      addMedians(padded, sum.subarray(index * width, (index + 1) * width))
    }
  }
  return sum
}

/** What a token attended to within the audio, as parts of 1: some heads rest on the padding. */
function onAudio(values: Float32Array, offset: number, width: number): Float32Array {
  const audio = values.slice(offset, offset + width)
  let sum = 0
  for (let at = 0; at < width; at += 1) sum += audio[at] as number
  // Attention that is all elsewhere stays zero.
  const factor = sum > 0 ? 1 / sum : 0
  for (let at = 0; at < width; at += 1) audio[at] = (audio[at] as number) * factor
  return audio
}

/** Subtracts the mean of all tokens at each position and divides by their standard deviation. Changes `tokens`. */
function standardise(tokens: readonly Float32Array[]): readonly Float32Array[] {
  const width = tokens[0]?.length ?? 0
  const mean = new Float64Array(width)
  const squares = new Float64Array(width)
  for (const values of tokens) {
    for (let at = 0; at < width; at += 1) mean[at] = (mean[at] as number) + (values[at] as number) / tokens.length
  }
  for (const values of tokens) {
    for (let at = 0; at < width; at += 1) {
      const difference = (values[at] as number) - (mean[at] as number)
      values[at] = difference
      squares[at] = (squares[at] as number) + difference * difference
    }
  }
  for (const values of tokens) {
    for (let at = 0; at < width; at += 1) {
      // A position that all tokens attend to alike says nothing; 1 only avoids 0 / 0.
      values[at] = (values[at] as number) / (Math.sqrt((squares[at] as number) / tokens.length) || 1)
    }
  }
  return tokens
}

function mirrorEdges(padded: Float32Array, width: number): void {
  for (let reach = 1; reach <= MEDIAN_REACH; reach += 1) {
    const inside = Math.min(reach, width - 1)
    padded[MEDIAN_REACH - reach] = padded[MEDIAN_REACH + inside] as number
    padded[MEDIAN_REACH + width - 1 + reach] = padded[MEDIAN_REACH + width - 1 - inside] as number
  }
}

function addMedians(padded: Float32Array, target: Float32Array): void {
  const window = new Float32Array(2 * MEDIAN_REACH + 1)
  for (let at = 0; at < target.length; at += 1) {
    for (let index = 0; index < window.length; index += 1) {
      // Insertion sort: the fastest for seven values.
      const value = padded[at + index] as number
      let place = index
      while (place > 0 && (window[place - 1] as number) > value) {
        window[place] = window[place - 1] as number
        place -= 1
      }
      window[place] = value
    }
    target[at] = (target[at] as number) + (window[MEDIAN_REACH] as number)
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
