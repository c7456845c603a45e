/** Character codes from `from` to `to`, both included. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** What a regular expression consists of. */
export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'characters'; readonly ranges: readonly Range[]; readonly isNegated: boolean }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'alternatives'; readonly nodes: readonly Node[] }
  /** `index` counts the capturing groups from 1 in the order of their opening parentheses. */
  | { readonly kind: 'group'; readonly node: Node; readonly index: number }
  | { readonly kind: 'repetition'; readonly node: Node; readonly times: Times; readonly isLazy: boolean }

export type Assertion = 'start' | 'end' | 'word-boundary' | 'no-word-boundary'

export interface Times {
  readonly min: number
  /** `Infinity` for no end. */
  readonly max: number
}

export const DIGIT: readonly Range[] = [range('0', '9')]
export const WORD: readonly Range[] = [range('0', '9'), range('A', 'Z'), range('_', '_'), range('a', 'z')]
export const SPACE: readonly Range[] = [range('\t', '\r'), range(' ', ' ')]
/** What `.` leaves out. */
export const LINE_END: readonly Range[] = [range('\n', '\n')]

/** The largest character code. */
export const LAST_CODE = 0xffff

/** Everything that is in none of the ranges. */
export function complementOf(ranges: readonly Range[]): readonly Range[] {
  const complement: Range[] = []
  let next = 0
  for (const { from, to } of ranges.toSorted((one, other) => one.from - other.from)) {
    if (from > next) complement.push({ from: next, to: from - 1 })
    next = Math.max(next, to + 1)
  }
  if (next <= LAST_CODE) complement.push({ from: next, to: LAST_CODE })
  return complement
}

export function range(from: string, to: string): Range {
  return { from: from.charCodeAt(0), to: to.charCodeAt(0) }
}
