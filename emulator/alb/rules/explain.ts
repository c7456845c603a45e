import type { Action, Condition } from '../model.ts'
import type { RequestFacts } from './facts.ts'
import type { CompiledRule } from './rules.ts'

/** How one rule took part in the choice. */
export interface RuleExplanation {
  /** Its priority. */
  readonly rule: number | 'default'
  readonly action: Action
  /** `not-reached`: a rule before it matched. */
  readonly outcome: 'matched' | 'failed' | 'not-reached'
  /** Of a rule that failed: its first condition that did not hold. */
  readonly failed: { readonly condition: Condition; readonly compared: string } | undefined
}

/** Why the rules send a request where they send it: every rule, in the order in which they are asked. */
export function explainRules(rules: readonly CompiledRule[], facts: RequestFacts): readonly RuleExplanation[] {
  let isDecided = false
  return rules.map(({ priority, action, conditions }): RuleExplanation => {
    const rule = priority ?? 'default'
    if (isDecided) return { rule, action, outcome: 'not-reached', failed: undefined }
    const failed = conditions.find((each) => !each.holds(facts))
    if (failed) {
      const { condition } = failed
      return { rule, action, outcome: 'failed', failed: { condition, compared: comparedBy(condition, facts) } }
    }
    isDecided = true
    return { rule, action, outcome: 'matched', failed: undefined }
  })
}

/** The part of the request that the condition looks at; empty where the request has none. */
function comparedBy(condition: Condition, facts: RequestFacts): string {
  switch (condition.field) {
    case 'host-header':
      return facts.host
    case 'path-pattern':
      return facts.path
    case 'http-request-method':
      return facts.method
    case 'http-header':
      return [facts.headers[condition.name.toLowerCase()] ?? ''].flat().join(', ')
    case 'query-string':
      return facts.query
    case 'source-ip':
      return facts.client
  }
}
