import type { Action, Rule, Transform } from '../model.ts'
import { type CompiledCondition, compileCondition } from './conditions.ts'
import type { RequestFacts } from './facts.ts'

export interface CompiledRule {
  /** Undefined for the default rule, which matches everything. */
  readonly priority: number | undefined
  readonly action: Action
  readonly transforms: readonly Transform[]
  readonly conditions: readonly CompiledCondition[]
}

/**
 * The rules in the order of priority (aws-behaviour §1.2).
 * @throws SyntaxError for a regular expression that cannot be had.
 */
export function compileRules(rules: readonly Rule[]): readonly CompiledRule[] {
  return rules
    .toSorted((one, other) => one.priority - other.priority)
    .map(({ priority, action, conditions, transforms = [] }) => ({
      priority,
      action,
      transforms,
      conditions: conditions.map(compileCondition),
    }))
}

/** The rule that is asked last: it has no conditions and cannot rewrite. */
export function compileDefaultRule(action: Action): CompiledRule {
  return { priority: undefined, action, transforms: [], conditions: [] }
}

/** Whether all conditions of the rule hold. */
export function matchesRule({ conditions }: CompiledRule, facts: RequestFacts): boolean {
  for (const condition of conditions) {
    if (!condition.holds(facts)) return false
  }
  return true
}
