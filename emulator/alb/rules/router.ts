import type { Exchange } from '../exchange.ts'
import type { Destination } from './actions.ts'
import type { RuleSet } from './rule-set.ts'

/** Finds the destination of an exchange and notes in it how that came about. */
export type Router = (exchange: Exchange) => Destination

/** Asks the rules as they stand when the request comes, on a connection that is already open too. */
export function createRouter(rules: Pick<RuleSet, 'find'>): Router {
  return (exchange) => {
    const { priority, action, decide, rewrite } = rules.find(exchange)
    exchange.rule = priority ?? 'default'
    exchange.action = action
    const destination = decide(exchange)
    if (!rewrite || exchange.registration === undefined) return destination
    const rewritten = rewrite(exchange)
    if (rewritten !== 'failed') {
      exchange.rewrite = rewritten
      return destination
    }
    exchange.failure = 'transform-failed'
    exchange.registration = undefined
    return 500
  }
}
