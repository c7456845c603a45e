import type { OwnStatus } from '../own-status.ts'
import type { Exchange } from '../exchange.ts'
import type { Action, FixedResponseAction, ForwardAction } from '../model.ts'
import type { StickinessCookies } from '../targets/stickiness-cookie.ts'
import type { Registration } from '../targets/member.ts'
import type { RoutedTargetGroup } from '../targets/target-group.ts'
import { type Origin, type Redirect, compileRedirect } from './redirect.ts'
import { compileWeights } from './weights.ts'

/** Where a request goes: to a target, or back with a configured answer or with one of the balancer's own. */
export type Destination = Registration | FixedResponseAction | Redirect | OwnStatus

/** Finds the destination of an exchange and notes in it how that came about. */
export type Decide = (exchange: Exchange) => Destination

export interface ActionDeps {
  readonly targetGroups: ReadonlyMap<string, RoutedTargetGroup>
  readonly origin: Origin
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly cookies: StickinessCookies
}

/** Of the choice among weighted groups (aws-behaviour §1.7). */
const GROUP_COOKIE = 'AWSALBTG'

/** Longer ones cannot be completed: `HTTP_Redirect_Url_Limit_Exceeded_Count`. */
const MAX_LOCATION_BYTES = 8 * 1024

export function compileAction(action: Action, deps: ActionDeps): Decide {
  switch (action.type) {
    case 'fixed-response':
      return () => action
    case 'redirect': {
      const toRedirect = compileRedirect(action, deps.origin)
      return (exchange) => {
        const redirect = toRedirect(exchange)
        if (Buffer.byteLength(redirect.location) > MAX_LOCATION_BYTES) {
          exchange.failure = 'redirect-too-long'
          return 500
        }
        exchange.redirectUrl = redirect.location
        return redirect
      }
    }
    case 'forward':
      return compileForward(action, deps)
  }
}

function compileForward(action: ForwardAction, deps: ActionDeps): Decide {
  const { targetGroups } = deps
  if ('targetGroup' in action) {
    const group = targetGroups.get(action.targetGroup)
    return (exchange) => pickFrom(group, action.targetGroup, exchange)
  }
  const choose = compileChoice(action, deps)
  return (exchange) => {
    const name = choose(exchange)
    // What has no group has no target either.
    if (name === undefined) return withoutTargets(exchange)
    return pickFrom(targetGroups.get(name), name, exchange)
  }
}

function pickFrom(group: RoutedTargetGroup | undefined, name: string, exchange: Exchange): Destination {
  exchange.targetGroup = name
  const registration = group?.pick(exchange.connection.node, exchange.headers.cookie, exchange)
  if (!group || !registration) return withoutTargets(exchange)
  exchange.registration = registration
  const cookies = group.setCookiesFor(registration)
  if (cookies) addCookies(exchange, cookies)
  return registration
}

function addCookies(exchange: Exchange, setCookies: readonly string[]): void {
  exchange.setCookies ??= []
  exchange.setCookies.push(...setCookies)
}

function withoutTargets(exchange: Exchange): 503 {
  exchange.failure = 'no-targets'
  return 503
}

/** The group of one request; undefined when no group has a weight. */
function compileChoice(
  { targetGroups, stickinessSeconds }: Extract<ForwardAction, { targetGroups: unknown }>,
  { random, cookies }: ActionDeps,
): (exchange: Exchange) => string | undefined {
  const choose = compileWeights(targetGroups, random)
  if (stickinessSeconds === undefined) return choose
  /** A group that has left the rule, or has no weight any more, no longer counts. */
  const honoured = new Set(targetGroups.filter(({ weight }) => weight > 0).map(({ targetGroup }) => targetGroup))

  return (exchange) => {
    const before = cookies.open(exchange.headers.cookie, GROUP_COOKIE)
    const name = before !== undefined && honoured.has(before) ? before : choose()
    if (name === undefined) return undefined
    // Anew with every answer, as AWS does.
    addCookies(exchange, cookies.sealTwins(GROUP_COOKIE, name, stickinessSeconds))
    return name
  }
}
