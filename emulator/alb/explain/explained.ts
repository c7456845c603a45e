import type { IncomingHttpHeaders } from 'node:http'
import type { RuleExplanation } from '../rules/explain.ts'
import type { RoutingState } from '../targets/routing.ts'

/** What is noted of a request whose client has asked how its answer came about. */
export interface Explained {
  /** As the client sent them. */
  readonly received: IncomingHttpHeaders
  /** Empty when the rules were not asked. */
  rules: readonly RuleExplanation[]
  /** Zone of the node that has the connection. */
  node: string | undefined
  /** What the node chose the target from. */
  routing: RoutingState | undefined
}
