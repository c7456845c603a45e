/** The middle one of an odd number of values, the lower of the two middle ones otherwise: always a value that was measured. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
}
