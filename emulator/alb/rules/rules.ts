import type { IncomingHttpHeaders } from 'node:http'
import type { Action, Condition, Rule } from '../model.ts'
import { compilePattern } from './patterns.ts'

/** What rules look at. */
export interface RequestFacts {
  readonly method: string
  /** Lower case, without a port. */
  readonly host: string
  /** As sent, without the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export interface CompiledRule {
  /** Undefined for the default rule, which matches everything. */
  readonly priority: number | undefined
  readonly action: Action
}

/** The first rule in the order of priority whose conditions all hold, else the default one (aws-behaviour §1.2). */
export function compileRules(rules: readonly Rule[], defaultAction: Action): (facts: RequestFacts) => CompiledRule {
  const compiled = rules
    .toSorted((one, other) => one.priority - other.priority)
    .map(({ priority, action, conditions }) => ({ priority, action, tests: conditions.map(compileCondition) }))
  const last: CompiledRule = { priority: undefined, action: defaultAction }

  return (facts) => {
    for (const rule of compiled) {
      if (holds(rule.tests, facts)) return rule
    }
    return last
  }
}

type Test = (facts: RequestFacts) => boolean

function holds(tests: readonly Test[], facts: RequestFacts): boolean {
  for (const test of tests) {
    if (!test(facts)) return false
  }
  return true
}

function compileCondition(condition: Condition): Test {
  switch (condition.field) {
    case 'host-header': {
      const matches = compileValues(lowerCase(condition.values))
      return (facts) => matches(facts.host)
    }
    case 'path-pattern': {
      const matches = compileValues(condition.values)
      return (facts) => matches(facts.path)
    }
    case 'http-request-method': {
      const methods = new Set(condition.values)
      return (facts) => methods.has(facts.method)
    }
    case 'http-header': {
      const name = condition.name.toLowerCase()
      const matches = compileValues(lowerCase(condition.values))
      return (facts) => someValue(facts.headers[name], matches)
    }
  }
}

/** Any value of the header may match; Node joins repeated ones with commas. */
function someValue(value: string | readonly string[] | undefined, matches: (text: string) => boolean): boolean {
  if (value === undefined) return false
  if (typeof value !== 'string') return value.some((each) => matches(each.toLowerCase()))
  const text = value.toLowerCase()
  return matches(text) || (text.includes(', ') && text.split(', ').some(matches))
}

function compileValues(values: readonly string[]): (text: string) => boolean {
  const [only, ...others] = values.map(compilePattern)
  if (!only) return () => false
  return others.length === 0 ? only : (text) => only(text) || others.some((matches) => matches(text))
}

function lowerCase(values: readonly string[]): string[] {
  return values.map((value) => value.toLowerCase())
}
