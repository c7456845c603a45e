import type { Condition } from '../model.ts'
import { compileBlocks } from './blocks.ts'
import type { RequestFacts } from './facts.ts'
import { compilePattern } from './patterns.ts'
import { compileQuery } from './query.ts'
import { compileRegexTest } from './regex/regex.ts'

export interface CompiledCondition {
  readonly condition: Condition
  holds(facts: RequestFacts): boolean
}

/** @throws SyntaxError for a regular expression that cannot be had. */
export function compileCondition(condition: Condition): CompiledCondition {
  return { condition, holds: toTest(condition) }
}

/** Each kind with its own rules for case and wildcards: aws-behaviour §1.2. */
function toTest(condition: Condition): (facts: RequestFacts) => boolean {
  switch (condition.field) {
    case 'host-header':
      return toHostTest(condition)
    case 'path-pattern': {
      const matches = anyOf(condition.values, compilePattern)
      const matchesRegex = anyOf(condition.regexValues, (source) => compileRegexTest(source, { ignoresCase: false }))
      return ({ path }) => matches(path) || matchesRegex(path)
    }
    case 'http-request-method': {
      const methods = new Set(condition.values)
      return ({ method }) => methods.has(method)
    }
    case 'http-header':
      return toHeaderTest(condition)
    case 'query-string': {
      const matches = compileQuery(condition.values)
      return ({ query }) => matches(query)
    }
    case 'source-ip': {
      const contains = compileBlocks(condition.values)
      return ({ client }) => contains(client)
    }
  }
}

function toHostTest({ values, regexValues }: Extract<Condition, { field: 'host-header' }>): Test {
  const matches = anyOf(values, (value) => compilePattern(value.toLowerCase()))
  const matchesRegex = anyOf(regexValues, (source) => compileRegexTest(source, { ignoresCase: true }))
  return ({ host, authority }) =>
    matches(host) ||
    matchesRegex(host) ||
    // A regular expression may name the port, which a value cannot.
    (authority !== undefined && authority.length > host.length && matchesRegex(authority))
}

function toHeaderTest({ name, values, regexValues }: Extract<Condition, { field: 'http-header' }>): Test {
  const key = name.toLowerCase()
  const matches = anyOf(values, (value) => compilePattern(value.toLowerCase()))
  const matchesRegex = anyOf(regexValues, (source) => compileRegexTest(source, { ignoresCase: true }))
  const matchesEither = (value: string): boolean => matches(value) || matchesRegex(value)
  return ({ headers }) => someValue(headers[key], matchesEither)
}

type Test = (facts: RequestFacts) => boolean
type TextTest = (text: string) => boolean

/** Any value of the header may match; Node joins repeated ones with commas. */
function someValue(value: string | readonly string[] | undefined, matches: TextTest): boolean {
  if (value === undefined) return false
  if (typeof value !== 'string') return value.some((each) => matches(each.toLowerCase()))
  const text = value.toLowerCase()
  return matches(text) || (text.includes(', ') && text.split(', ').some(matches))
}

/** Whether one of the values matches; none does where there are none. */
function anyOf(values: readonly string[] | undefined, compile: (value: string) => TextTest): TextTest {
  const [only, ...others] = values?.map((value) => compile(value)) ?? []
  if (!only) return () => false
  return others.length === 0 ? only : (text) => only(text) || others.some((matches) => matches(text))
}
