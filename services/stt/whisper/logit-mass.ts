/** What a range of logits weighs together. */
export interface LogitMass {
  /** The likeliest token, the first of equals; the beginning of the range when nothing in it is possible. */
  readonly token: number
  readonly logit: number
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
