/** The matcher's default. */
const HEALTHY = '200'
/** What a matcher of HTTP may name (aws-behaviour §1.5). */
const LEAST = 200
const MOST = 499

/** Whether a status is a pass. */
export type Matcher = (status: number) => boolean

/** Reads `200`, `200,202` or `200-299`; undefined for anything else. */
export function parseMatcher(matcher: string = HEALTHY): Matcher | undefined {
  const ranges: (readonly [first: number, last: number])[] = []
  for (const part of matcher.split(',')) {
    const [, first, last = first] = /^(\d{3})(?:-(\d{3}))?$/.exec(part) ?? []
    const range = [Number(first), Number(last)] as const
    if (!(range[0] >= LEAST && range[0] <= range[1] && range[1] <= MOST)) return undefined
    ranges.push(range)
  }
  return (status) => ranges.some(([first, last]) => status >= first && status <= last)
}
