import type { ListenerConfig } from '../model.ts'
import { explainRules } from '../rules/explain.ts'
import { compileDefaultRule, compileRules, matchesRule } from '../rules/rules.ts'
import { compileTransforms } from '../rules/transforms.ts'
import type { ExplainedRules } from './explain-request.ts'

/** The rules of a listener that does not run. */
export function rulesOf({ rules, defaultAction }: Pick<ListenerConfig, 'rules' | 'defaultAction'>): ExplainedRules {
  const compiled = [...compileRules(rules), compileDefaultRule(defaultAction)]
  return {
    explain: (facts) => explainRules(compiled, facts),
    find(facts) {
      const rule = compiled.find((each) => matchesRule(each, facts))
      if (!rule) throw new Error('The default rule, which matches everything, did not match.')
      return { action: rule.action, rewrite: compileTransforms(rule.transforms) }
    },
  }
}
