import { AldeaError } from '../../core/errors.ts'
import type { ListenerConfig, LoadBalancerConfig, Rule } from '../model.ts'
import { type ActionContext, checkAction, checkTransforms } from './check-actions.ts'
import { checkAttributes, checkTargetGroup } from './check-attributes.ts'
import { checkConditions } from './check-conditions.ts'
import { type Problem, invalid, outsideOf } from './problems.ts'

const PRIORITY = { min: 1, max: 50_000 }
/** Of the balancer on AWS; here of each listener, because a listener is changed without knowledge of the others. */
const MAX_RULES = 100
const MAX_LISTENERS = 50
const MAX_TARGET_GROUPS = 100

/** @throws ALDEA_CONFIG_INVALID naming every problem with AWS's code for it. */
export function assertLoadBalancerConfig(config: LoadBalancerConfig): void {
  const problems = problemsOf(config)
  if (problems.length === 0) return
  const texts = problems.map(({ code, message }) => `${code}: ${message}`)
  throw new AldeaError('ALDEA_CONFIG_INVALID', `The load balancer ${config.name} cannot run. ${texts.join('; ')}.`)
}

function problemsOf(config: LoadBalancerConfig): Problem[] {
  const { zones, listeners, targetGroups, attributes = {} } = config
  const problems: Problem[] = []
  if (zones.length === 0) problems.push(invalid('At least one subnet must be specified'))
  for (const name of duplicatesOf(targetGroups.map((group) => group.name))) {
    const message = `A target group with the same name '${name}' exists, but with different settings`
    problems.push({ code: 'DuplicateTargetGroupName', message })
  }
  for (const port of duplicatesOf(listeners.map((listener) => listener.port).filter((each) => each !== 0))) {
    const message = `A listener already exists on this port for this load balancer: ${port}`
    problems.push({ code: 'DuplicateListener', message })
  }
  if (listeners.length > MAX_LISTENERS) problems.push(tooMany('TooManyListeners', 'listeners', config))
  if (targetGroups.length > MAX_TARGET_GROUPS) problems.push(tooMany('TooManyTargetGroups', 'target groups', config))
  return [
    ...problems,
    ...checkAttributes(attributes),
    ...targetGroups.flatMap(checkTargetGroup),
    ...listeners.flatMap((listener) => checkRules(listener, { targetGroups, origin: originOf(listener) })),
  ]
}

/** What AWS would refuse of a listener's rules; nothing when all is well. */
export function checkRules(
  { rules, defaultAction }: Pick<ListenerConfig, 'rules' | 'defaultAction'>,
  context: ActionContext,
): Problem[] {
  const problems = duplicatesOf(rules.map(({ priority }) => priority)).map((priority): Problem => ({
    code: 'PriorityInUse',
    message: `Priority '${priority}' is currently in use`,
  }))
  if (rules.length > MAX_RULES) {
    problems.push({ code: 'TooManyRules', message: `The maximum number of rules '${MAX_RULES}' has been reached` })
  }
  return [...problems, ...rules.flatMap((rule) => checkRule(rule, context)), ...checkAction(defaultAction, context)]
}

function checkRule(rule: Rule, context: ActionContext): Problem[] {
  return [
    ...outsideOf(rule.priority, 'priority', PRIORITY),
    ...checkConditions(rule),
    ...checkAction(rule.action, context),
    ...checkTransforms(rule.transforms ?? []),
  ]
}

export function originOf({ tls, port }: Pick<ListenerConfig, 'tls' | 'port'>): ActionContext['origin'] {
  return { protocol: tls ? 'https' : 'http', port }
}

function tooMany(code: Problem['code'], things: string, { name }: LoadBalancerConfig): Problem {
  return { code, message: `The maximum number of ${things} on load balancer '${name}' has been reached` }
}

/** Each once. */
function duplicatesOf<T>(values: readonly T[]): T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) < index))]
}
