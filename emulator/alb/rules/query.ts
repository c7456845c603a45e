import { compilePattern } from './patterns.ts'

interface WantedParameter {
  readonly key?: string
  readonly value: string
}

interface ParameterTest {
  /** Undefined: of any key. */
  readonly matchesKey: ((key: string) => boolean) | undefined
  readonly matchesValue: (value: string) => boolean
}

/**
 * A test for a raw query string: whether one of its parameters is one of those wanted. Case does not matter; `*` and
 * `?` are wildcards unless a backslash precedes them. Nothing is decoded; a parameter without `=` has an empty value.
 */
export function compileQuery(wanted: readonly WantedParameter[]): (query: string) => boolean {
  const tests: readonly ParameterTest[] = wanted.map(({ key, value }) => ({
    matchesKey: key === undefined ? undefined : compileText(key),
    matchesValue: compileText(value),
  }))

  return (query) => {
    if (query === '') return false
    const text = query.toLowerCase()
    let start = 0
    while (start <= text.length) {
      const ampersand = text.indexOf('&', start)
      const end = ampersand === -1 ? text.length : ampersand
      if (end > start && someTest(tests, text.slice(start, end))) return true
      start = end + 1
    }
    return false
  }
}

function someTest(tests: readonly ParameterTest[], parameter: string): boolean {
  const equals = parameter.indexOf('=')
  const key = equals === -1 ? parameter : parameter.slice(0, equals)
  const value = equals === -1 ? '' : parameter.slice(equals + 1)
  for (const { matchesKey, matchesValue } of tests) {
    if ((matchesKey === undefined || matchesKey(key)) && matchesValue(value)) return true
  }
  return false
}

function compileText(pattern: string): (text: string) => boolean {
  return compilePattern(pattern.toLowerCase(), { hasEscapes: true })
}
