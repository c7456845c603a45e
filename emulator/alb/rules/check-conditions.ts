import type { Condition, Rule } from '../model.ts'
import { toBlock } from './blocks.ts'
import { checkRegex } from './check-regex.ts'
import { countWildcards } from './patterns.ts'
import { type Problem, invalid } from './problems.ts'

/** aws-behaviour §1.2. The three values a condition that the guide names are not enforced: five in one are accepted. */
const MAX_VALUES = 5
const MAX_WILDCARDS = 5
const MAX_VALUE_LENGTH = 128
const MAX_HEADER_NAME_LENGTH = 40
const MAX_METHOD_LENGTH = 40

/** Of which a rule has one at most. */
const SINGLE_FIELDS = ['host-header', 'path-pattern', 'http-request-method', 'source-ip'] as const

const HOST_CHARACTERS = /^[A-Za-z0-9._*?-]*$/
const HOST_END = /\.[A-Za-z]+$/
const PATH_CHARACTERS = /^[A-Za-z0-9_.$/~"'@:+&*?-]*$/
const METHOD_CHARACTERS = /^[A-Z_-]*$/
const HEADER_NAME_CHARACTERS = /^[A-Za-z0-9!#$%&'*+.^_`|~-]*$/
const VISIBLE_CHARACTERS = /^[ -~]*$/

/** The broadcast address, which no client has. */
const REFUSED_BLOCK = '255.255.255.255/32'

export function checkConditions({ conditions }: Rule): Problem[] {
  const problems: Problem[] = []
  for (const field of SINGLE_FIELDS) {
    if (conditions.filter((each) => each.field === field).length > 1) {
      problems.push(invalid(`A rule can only have one '${field}' condition`))
    }
  }
  if (sumOf(conditions.map(countValues)) > MAX_VALUES) {
    problems.push(invalid(`A rule can only have '${MAX_VALUES}' condition values`))
  }
  if (sumOf(conditions.map(wildcardsOf)) > MAX_WILDCARDS) {
    problems.push(invalid(`A rule can only have '${MAX_WILDCARDS}' condition wildcards`))
  }
  return [...problems, ...conditions.flatMap(checkCondition)]
}

function checkCondition(condition: Condition): Problem[] {
  if (countValues(condition) === 0) return [invalid('A condition value must be specified')]
  switch (condition.field) {
    case 'host-header':
      return [...checkPatterns(condition), ...(condition.values ?? []).flatMap(checkHost)]
    case 'path-pattern':
      return [...checkPatterns(condition), ...checkCharacters(condition.values, PATH_CHARACTERS)]
    case 'http-header':
      return [...checkHeaderName(condition.name), ...checkPatterns(condition), ...checkTexts(condition)]
    case 'http-request-method':
      return [
        ...checkLengths(condition.field, condition.values, MAX_METHOD_LENGTH),
        ...checkCharacters(condition.values, METHOD_CHARACTERS),
      ]
    case 'query-string':
      return [...checkLengths(condition.field, textsOf(condition), MAX_VALUE_LENGTH), ...checkTexts(condition)]
    case 'source-ip':
      return condition.values.filter((value) => !toBlock(value) || value === REFUSED_BLOCK).map(refuseBlock)
  }
}

type PatternCondition = Extract<Condition, { regexValues?: unknown }>

function checkPatterns({ field, values = [], regexValues = [] }: PatternCondition): Problem[] {
  const problems = checkLengths(field, [...values, ...regexValues], MAX_VALUE_LENGTH)
  if (values.length > 0 && regexValues.length > 0) {
    problems.push(invalid(`You cannot provide both Values and RegexValues for a condition of type '${field}'`))
  }
  return [...problems, ...regexValues.flatMap(checkRegex)]
}

function checkHost(value: string): Problem[] {
  if (!HOST_CHARACTERS.test(value)) return [invalidCharacter(value)]
  if (!value.includes('.')) return [invalid(`Condition value '${value}' must contain at least one '.'`)]
  if (HOST_END.test(value)) return []
  return [invalid(`Condition value '${value}' may contain only letters after the last '.'`)]
}

function checkHeaderName(name: string): Problem[] {
  const problems = checkLengths('HttpHeaderName', [name], MAX_HEADER_NAME_LENGTH)
  if (name === '' || !HEADER_NAME_CHARACTERS.test(name)) problems.push(invalidCharacter(name))
  if (name.toLowerCase() === 'host') problems.push(invalid("Use a 'host-header' condition for the header 'Host'"))
  return problems
}

function checkLengths(name: string, values: readonly string[], limit: number): Problem[] {
  if (values.every((value) => value.length <= limit)) return []
  return [invalid(`The '${name}' value is too long; the limit is '${limit}'`)]
}

function checkTexts(condition: Condition): Problem[] {
  return checkCharacters(textsOf(condition), VISIBLE_CHARACTERS)
}

function checkCharacters(values: readonly string[] | undefined, allowed: RegExp): Problem[] {
  return (values ?? []).filter((value) => !allowed.test(value)).map(invalidCharacter)
}

function invalidCharacter(value: string): Problem {
  return invalid(`Condition value '${value}' contains a character that is not valid`)
}

function refuseBlock(value: string): Problem {
  return invalid(`Condition value '${value}' is not a valid CIDR block`)
}

/** How many values it compares with; a key and its value are one. */
function countValues(condition: Condition): number {
  return condition.field === 'query-string' ? condition.values.length : textsOf(condition).length
}

/** Every text that it compares with. */
function textsOf(condition: Condition): readonly string[] {
  if (condition.field === 'query-string') return condition.values.flatMap(({ key = '', value }) => [key, value])
  const { values = [] } = condition
  return 'regexValues' in condition ? [...values, ...(condition.regexValues ?? [])] : values
}

function wildcardsOf(condition: Condition): number {
  switch (condition.field) {
    case 'host-header':
    case 'path-pattern':
    case 'http-header':
      return sumOf((condition.values ?? []).map((value) => countWildcards(value)))
    case 'query-string':
      return sumOf(textsOf(condition).map((text) => countWildcards(text, { hasEscapes: true })))
    case 'http-request-method':
    case 'source-ip':
      return 0
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0)
}
