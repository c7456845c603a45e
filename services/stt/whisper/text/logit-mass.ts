/** The most of a range of logits. */
export interface Likeliest {
  /** The first of equals; the beginning of the range when nothing in it is possible. */
  readonly token: number
  readonly logit: number
}

/** What a range of logits weighs together. */
export interface LogitMass extends Likeliest {
  /** Sum of e^(logit − the largest). 0 when nothing is possible. */
  readonly sum: number
}

/** Only what is impossible is so far below the likeliest: a branch that is nearly always taken costs nothing. */
const TABLE_UNITS = 48
/** Between steps so small, three terms of the series leave an error below 10⁻⁶. */
const STEPS_PER_UNIT = 64
/** e^−x at each step. */
const POWERS = Float64Array.from({ length: TABLE_UNITS * STEPS_PER_UNIT }, (_, step) =>
  Math.exp(-step / STEPS_PER_UNIT),
)

/**
 * Looks at each logit from `from` up to, but not including, `to` once: the sum so far is scaled down whenever a larger
 * one turns up, which is seldom. `Math.exp` for each of them would take three times as long.
 */
export function weighLogits(logits: Float32Array, from: number, to: number): LogitMass {
  let token = from
  let largest = Number.NEGATIVE_INFINITY
  let sum = 0
  for (let id = from; id < to; id += 1) {
    const logit = logits[id] as number
    // NaN, and passed over, as long as nothing was possible.
    const below = largest - logit
    if (below < 0) {
      sum = sum * Math.exp(below) + 1
      largest = logit
      token = id
    } else if (below < TABLE_UNITS) {
      const steps = below * STEPS_PER_UNIT
      const step = steps | 0
      const rest = (steps - step) / STEPS_PER_UNIT
      sum += (POWERS[step] as number) * (1 - rest * (1 - rest / 2))
    }
  }
  return { token, logit: largest, sum }
}

/** Without what the others weigh: five times as fast as {@link weighLogits}. */
export function likeliestOf(logits: Float32Array, from: number, to: number): Likeliest {
  // Four at a time, so that none waits for the one before.
  let first = Number.NEGATIVE_INFINITY
  let second = first
  let third = first
  let fourth = first
  let id = from
  for (; id + 4 <= to; id += 4) {
    const one = logits[id] as number
    const two = logits[id + 1] as number
    const three = logits[id + 2] as number
    const four = logits[id + 3] as number
    if (one > first) first = one
    if (two > second) second = two
    if (three > third) third = three
    if (four > fourth) fourth = four
  }
  for (; id < to; id += 1) first = Math.max(first, logits[id] as number)
  const logit = Math.max(first, second, third, fourth)
  return { token: logit > Number.NEGATIVE_INFINITY ? logits.indexOf(logit, from) : from, logit }
}
