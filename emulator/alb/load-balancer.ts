import { type Clock, systemClock } from '../../services/wire/clock.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { EventStream } from '../core/events.ts'
import { resolveAttributes } from './attributes.ts'
import { assertLoadBalancerConfig } from './rules/config.ts'
import { type RequestExplanation, explainRequest } from './explain/explain-request.ts'
import type { AskedRequest } from './explain/introspection.ts'
import { type Listener, startListener } from './listener.ts'
import type { ConnectionObserver } from './metrics/connection-counts.ts'
import type { LoadBalancerConfig, Target } from './model.ts'
import { createTargetConnections } from './network/target-connections.ts'
import type { RuleSet } from './rules/rule-set.ts'
import { createRandom } from './random.ts'
import { createStickinessCookies } from './targets/stickiness-cookie.ts'
import { type RoutedTargetGroup, type TargetGroup, createTargetGroup } from './targets/target-group.ts'
import { createZones } from './zones.ts'

export interface LoadBalancer {
  readonly listeners: readonly { readonly host: string; readonly port: number; readonly rules: RuleSet }[]
  targetGroup(name: string): TargetGroup
  /**
   * Makes a zone silent: its node answers nobody, nothing reaches the targets in it.
   * @throws Error for a zone without a node
   */
  loseZone(zone: string): void
  /** @throws Error for a zone without a node */
  restoreZone(zone: string): void
  /** Where a client on this machine would get with such a request, and why; nothing is sent. */
  explain(request: AskedRequest): RequestExplanation
  /** Takes no new connections; resolves when everything in flight, sockets included, has ended. */
  drain(): Promise<void>
  /** Drains within a short deadline, then ends every connection. Idempotent. */
  stop(): Promise<void>
}

export interface LoadBalancerDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly events: EventStream
  /** Hears of the connections of clients. */
  readonly observer?: ConnectionObserver
  /** Uniform in [0, 1); made of `ids` when absent. */
  readonly random?: (() => number) | undefined
  /** Stickiness cookies outlive a restart where it is the same one. A new one each time when absent. */
  readonly cookieSecret?: string | undefined
}

/** In real time, whatever the environment's clock says: enough for an answer that is being written. */
const STOP_DEADLINE_MS = 250

/**
 * Starts the listeners; targets come later. Binds nothing but the configured addresses.
 * @throws ALDEA_CONFIG_INVALID; the system's own error, such as `EADDRINUSE`, when an address cannot be had.
 */
export async function startLoadBalancer(config: LoadBalancerConfig, deps: LoadBalancerDeps): Promise<LoadBalancer> {
  assertLoadBalancerConfig(config)
  const zones = createZones(config.zones, deps.clock)
  const { random = createRandom(deps.ids) } = deps
  const cookies = createStickinessCookies({ ...deps, secret: deps.cookieSecret })
  const attributes = resolveAttributes(config.attributes)
  const connections = createTargetConnections(deps.clock, attributes.idleTimeoutMs)
  const onDraining = (target: Target): void => {
    if (target.kind === 'network') connections.closeIdle(target)
  }
  const targetGroups = new Map<string, RoutedTargetGroup>()
  const groupDeps = { ...deps, zones, random, cookies, onDraining }
  for (const each of config.targetGroups) targetGroups.set(each.name, createTargetGroup(each, groupDeps))
  const shared = { ...deps, zones, random, cookies, targetGroups, connections, attributes }
  const listeners: Listener[] = []
  try {
    for (const each of config.listeners) {
      listeners.push(await startListener(each, { ...shared, targetGroupConfigs: config.targetGroups }))
    }
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.stop()))
    throw error
  }

  let stopped: Promise<void> | undefined
  const drain = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.drain()))
  }
  const stop = async (): Promise<void> => {
    for (const group of targetGroups.values()) group.stop()
    const deadline = new AbortController()
    const late = systemClock.sleep(STOP_DEADLINE_MS, deadline.signal).catch(() => undefined)
    await Promise.race([drain(), late])
    deadline.abort()
    await Promise.all(listeners.map((listener) => listener.stop()))
    connections.closeIdle()
  }

  return {
    listeners: listeners.map(({ host, port, rules }) => ({ host, port, rules })),
    targetGroup(name) {
      const group = targetGroups.get(name)
      if (!group) throw new Error(`${config.name} has no target group ${name}.`)
      return group
    },
    explain({ protocol, ...request }) {
      const secure = config.listeners.findIndex(({ tls }) => tls !== undefined)
      const listener = listeners[protocol === 'https' && secure !== -1 ? secure : 0]
      if (!listener) throw new Error(`${config.name} has no listener.`)
      const origin = { protocol, port: listener.port }
      const { ids, clock } = deps
      const about = {
        rules: listener.rules,
        origin,
        attributes,
        targetGroups,
        zones: config.zones,
        ids,
        nowMs: clock.now(),
      }
      return explainRequest({ ...request, client: '127.0.0.1' }, about)
    },
    loseZone: zones.lose,
    restoreZone: zones.restore,
    drain,
    stop: () => (stopped ??= stop()),
  }
}
