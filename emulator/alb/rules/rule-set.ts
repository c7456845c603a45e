import type { Action, ListenerConfig, Rule } from '../model.ts'
import { type ActionDeps, type Decide, compileAction } from './actions.ts'
import { type RuleExplanation, explainRules } from './explain.ts'
import type { RequestFacts } from './facts.ts'
import { type Problem, RuleError } from './problems.ts'
import { type CompiledRule, compileDefaultRule, compileRules, matchesRule } from './rules.ts'
import { type Rewrite, compileTransforms } from './transforms.ts'

/** The rules of a running listener. A change is seen by the next request; what cannot be is refused and changes nothing. */
export interface RuleSet {
  /** In the order of priority. */
  readonly rules: readonly Rule[]
  readonly defaultAction: Action
  /** @throws RuleError `PriorityInUse`, `TargetGroupNotFound`, `ValidationError`… */
  createRule(rule: Rule): void
  /** What is absent from `changes` stays. @throws RuleError `RuleNotFound` and those of `createRule`. */
  modifyRule(priority: number, changes: Partial<Omit<Rule, 'priority'>>): void
  /** @throws RuleError `RuleNotFound`. */
  deleteRule(priority: number): void
  /** All at once, so that rules can change places. @throws RuleError `RuleNotFound`, `PriorityInUse`. */
  setPriorities(moves: readonly { readonly from: number; readonly to: number }[]): void
  /** Other rules in the place of all there are. @throws RuleError as `createRule`. */
  setRules(rules: readonly Rule[]): void
  setDefaultAction(action: Action): void
  /** The first rule that matches. */
  find(facts: RequestFacts): DecidingRule
  /** How each rule took part in the choice. */
  explain(facts: RequestFacts): readonly RuleExplanation[]
}

export interface DecidingRule extends CompiledRule {
  readonly decide: Decide
  /** Absent where nothing is rewritten. */
  readonly rewrite: ((facts: RequestFacts) => Rewrite | 'failed') | undefined
}

type Rules = Pick<ListenerConfig, 'rules' | 'defaultAction'>

export interface RuleSetDeps extends ActionDeps {
  /** What is wrong with rules that are to be. */
  readonly check: (rules: Rules) => readonly Problem[]
}

/** Takes over rules that have been checked. */
export function createRuleSet(initial: Rules, deps: RuleSetDeps): RuleSet {
  let current = sorted(initial)
  let compiled = compile(current, deps)

  function change(next: Rules): void {
    const [problem] = deps.check(next)
    if (problem) throw new RuleError(problem)
    current = sorted(next)
    compiled = compile(current, deps)
  }

  function setRules(rules: readonly Rule[]): void {
    change({ ...current, rules })
  }

  function indexOf(priority: number): number {
    const index = current.rules.findIndex((rule) => rule.priority === priority)
    if (index !== -1) return index
    throw new RuleError({ code: 'RuleNotFound', message: 'One or more rules not found' })
  }

  return {
    get rules() {
      return current.rules
    },
    get defaultAction() {
      return current.defaultAction
    },
    createRule: (rule) => setRules([...current.rules, rule]),
    modifyRule(priority, changes) {
      const index = indexOf(priority)
      setRules(current.rules.map((rule, at) => (at === index ? { ...rule, ...changes } : rule)))
    },
    deleteRule: (priority) => setRules(current.rules.toSpliced(indexOf(priority), 1)),
    setPriorities(moves) {
      const moved = new Map(moves.map(({ from, to }) => [indexOf(from), to]))
      setRules(current.rules.map((rule, at) => ({ ...rule, priority: moved.get(at) ?? rule.priority })))
    },
    setRules,
    setDefaultAction: (defaultAction) => change({ ...current, defaultAction }),
    find: (facts) => findRule(compiled, facts),
    explain: (facts) => explainRules([...compiled.rules, compiled.last], facts),
  }
}

function sorted({ rules, defaultAction }: Rules): Rules {
  return { rules: rules.toSorted((one, other) => one.priority - other.priority), defaultAction }
}

interface Compiled {
  readonly rules: readonly DecidingRule[]
  readonly last: DecidingRule
}

function compile({ rules, defaultAction }: Rules, deps: ActionDeps): Compiled {
  return {
    rules: compileRules(rules).map((rule) => toDeciding(rule, deps)),
    last: toDeciding(compileDefaultRule(defaultAction), deps),
  }
}

function toDeciding({ priority, action, transforms, conditions }: CompiledRule, deps: ActionDeps): DecidingRule {
  return {
    priority,
    action,
    transforms,
    conditions,
    decide: compileAction(action, deps),
    rewrite: compileTransforms(transforms),
  }
}

function findRule({ rules, last }: Compiled, facts: RequestFacts): DecidingRule {
  for (const rule of rules) {
    if (matchesRule(rule, facts)) return rule
  }
  return last
}
