/** Smooths over seven positions, 0.14 s. */
const REACH = 3

/** A row of numbers to be smoothed, filled again for each use: there are a thousand in a window. */
export interface MedianRow {
  /** Filled by the caller with finite numbers. */
  readonly values: Float64Array
  /** Adds the running median of seven `values`, mirrored at the ends, to as many numbers. */
  addTo(target: Float32Array): void
}

export function createMedianRow(width: number): MedianRow {
  // One value more than needed at the end, so that pairs of windows need no special case.
  const padded = new Float64Array(width + 2 * REACH + 1)
  return {
    values: padded.subarray(REACH, REACH + width),
    addTo(target) {
      mirrorEnds(padded, width)
      addMedians(padded, target)
    },
  }
}

function mirrorEnds(padded: Float64Array, width: number): void {
  for (let reach = 1; reach <= REACH; reach += 1) {
    const inside = Math.min(reach, width - 1)
    padded[REACH - reach] = padded[REACH + inside] as number
    padded[REACH + width - 1 + reach] = padded[REACH + width - 1 - inside] as number
  }
}

/**
 * Two neighbouring windows share six values, and the median of these and a seventh is that seventh, kept between the
 * middle two of the six.
 *
 * Two values are put in order as half their sum less or plus half their distance: comparing branches, and values in no
 * order make every other branch a mispredicted one, which costs four times as much. In double precision the rounding is
 * far below that of the values.
 */
function addMedians(padded: Float64Array, target: Float32Array): void {
  for (let at = 0; at < target.length; at += 2) {
    const a = padded[at + 1] as number
    const b = padded[at + 2] as number
    const c = padded[at + 3] as number
    const small1 = smaller(a, b)
    const large1 = larger(a, b)
    const high1 = larger(large1, c)
    const rest1 = smaller(large1, c)
    const low1 = smaller(small1, rest1)
    const middle1 = larger(small1, rest1)
    const d = padded[at + 4] as number
    const e = padded[at + 5] as number
    const f = padded[at + 6] as number
    const small2 = smaller(d, e)
    const large2 = larger(d, e)
    const high2 = larger(large2, f)
    const rest2 = smaller(large2, f)
    const low2 = smaller(small2, rest2)
    const middle2 = larger(small2, rest2)
    // Of the six, one low value is below the middle two and one high value above them; these are the other four.
    const lower = larger(larger(low1, low2), smaller(middle1, middle2))
    const upper = smaller(smaller(high1, high2), larger(middle1, middle2))
    const third = smaller(lower, upper)
    const fourth = larger(lower, upper)

    const first = padded[at] as number
    target[at] = (target[at] as number) + larger(third, smaller(fourth, first))
    if (at + 1 === target.length) break
    const last = padded[at + 7] as number
    target[at + 1] = (target[at + 1] as number) + larger(third, smaller(fourth, last))
  }
}

function smaller(one: number, other: number): number {
  return (one + other - Math.abs(one - other)) / 2
}

function larger(one: number, other: number): number {
  return (one + other + Math.abs(one - other)) / 2
}
