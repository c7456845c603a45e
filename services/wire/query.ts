import { ApiError } from './api-error.ts'

/** A query string as the HTTP server parsed it: a repeated parameter is a list. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** The first value under the first of `names` that has one: a parameter and its aliases. */
export function textIn(query: Query, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = query[name]
    const first = (typeof value === 'string' ? value : value?.[0])?.trim()
    if (first) return first
  }
  return undefined
}

/** @throws ApiError 422 for anything but true, false, 1 and 0, in any case. */
export function flagIn(query: Query, name: string): boolean | undefined {
  const value = textIn(query, name)
  if (value === undefined) return undefined
  const flag = FLAGS.get(value.toLowerCase())
  if (flag === undefined) throw new ApiError(422, `${name} is "${value}"; it must be true or false.`)
  return flag
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])
