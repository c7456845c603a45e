/** The statistics of CloudWatch over what was measured within a minute. */
export interface Statistics {
  readonly sampleCount: number
  readonly sum: number
  readonly average: number
  readonly minimum: number
  readonly maximum: number
  /** Of metrics that people ask them of. */
  readonly percentiles?: { readonly p50: number; readonly p90: number; readonly p99: number }
}

/** Of events that count one each; undefined when there was none: CloudWatch gets no zeros (aws-behaviour §1.17). */
export function ofCount(times: number): Statistics | undefined {
  return times === 0 ? undefined : { sampleCount: times, sum: times, average: 1, minimum: 1, maximum: 1 }
}

/** Of a number that is written once a minute. */
export function ofTotal(total: number): Statistics | undefined {
  return total === 0 ? undefined : { sampleCount: 1, sum: total, average: total, minimum: total, maximum: total }
}

/** Of a number that took these values one after the other. */
export function ofValues(values: readonly number[]): Statistics | undefined {
  if (values.length === 0) return undefined
  const sum = values.reduce((total, value) => total + value, 0)
  const [minimum, maximum] = [Math.min(...values), Math.max(...values)]
  return { sampleCount: values.length, sum, average: sum / values.length, minimum, maximum }
}

/** Of durations, from how often each one occurred in milliseconds; in seconds. */
export function ofDurations(occurrences: ReadonlyMap<number, number>): Statistics | undefined {
  const sorted = [...occurrences].toSorted(([one], [other]) => one - other)
  const [first] = sorted
  const last = sorted.at(-1)
  if (!first || !last) return undefined
  const sampleCount = sorted.reduce((total, [, times]) => total + times, 0)
  const sum = sorted.reduce((total, [ms, times]) => total + ms * times, 0) / 1000
  const percentile = (share: number): number => rank(sorted, Math.ceil(share * sampleCount)) / 1000
  return {
    sampleCount,
    sum,
    average: sum / sampleCount,
    minimum: first[0] / 1000,
    maximum: last[0] / 1000,
    percentiles: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99) },
  }
}

/** The value of the sample with that rank, from 1. */
function rank(sorted: readonly (readonly [number, number])[], wanted: number): number {
  let seen = 0
  for (const [value, times] of sorted) {
    seen += times
    if (seen >= wanted) return value
  }
  return 0
}
