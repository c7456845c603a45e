import type { OwnStatus } from '../answers.ts'
import type { Exchange } from '../exchange.ts'
import type { FixedResponseAction, ListenerConfig } from '../model.ts'
import { compileRules } from './rules.ts'
import type { Registration, RoutedTargetGroup } from '../targets/target-group.ts'

/** Where a request goes: to a target, or back with a configured answer or with one of the balancer's own. */
export type Destination = Registration | FixedResponseAction | OwnStatus

/** Finds the destination of an exchange and notes in it how that came about. */
export type Router = (exchange: Exchange) => Destination

export function createRouter(
  { rules, defaultAction }: ListenerConfig,
  targetGroups: ReadonlyMap<string, RoutedTargetGroup>,
): Router {
  const findRule = compileRules(rules, defaultAction)

  return (exchange) => {
    const { priority, action } = findRule(exchange)
    exchange.rule = priority ?? 'default'
    if (action.type === 'fixed-response') return action
    exchange.targetGroup = action.targetGroup
    exchange.registration = targetGroups.get(action.targetGroup)?.pick(exchange.connection.node)
    return exchange.registration ?? 503
  }
}
