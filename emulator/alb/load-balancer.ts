import { type Clock, systemClock } from '../../services/wire/clock.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { EventStream } from '../core/events.ts'
import { assertLoadBalancerConfig } from './rules/config.ts'
import { type Listener, startListener } from './listener.ts'
import type { LoadBalancerConfig } from './model.ts'
import { createTargetConnections } from './network/target-connections.ts'
import { type RoutedTargetGroup, type TargetGroup, createTargetGroup } from './targets/target-group.ts'

export interface LoadBalancer {
  readonly listeners: readonly { readonly host: string; readonly port: number }[]
  targetGroup(name: string): TargetGroup
  /** Takes no new connections; resolves when everything in flight, sockets included, has ended. */
  drain(): Promise<void>
  /** Drains within a short deadline, then ends every connection. Idempotent. */
  stop(): Promise<void>
}

export interface LoadBalancerDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly events: EventStream
}

/** In real time, whatever the environment's clock says: enough for an answer that is being written. */
const STOP_DEADLINE_MS = 250

/** AWS's default. */
const IDLE_TIMEOUT_SECONDS = 60

/**
 * Starts the listeners; targets come later. Binds nothing but the configured addresses.
 * @throws ALDEA_CONFIG_INVALID; the system's own error, such as `EADDRINUSE`, when an address cannot be had.
 */
export async function startLoadBalancer(config: LoadBalancerConfig, deps: LoadBalancerDeps): Promise<LoadBalancer> {
  assertLoadBalancerConfig(config)
  const targetGroups = new Map<string, RoutedTargetGroup>()
  for (const each of config.targetGroups) targetGroups.set(each.name, createTargetGroup(each, deps))
  const idleMs = (config.attributes?.idleTimeoutSeconds ?? IDLE_TIMEOUT_SECONDS) * 1_000
  const connections = createTargetConnections(deps.clock, idleMs)
  const listeners: Listener[] = []
  try {
    for (const each of config.listeners) {
      listeners.push(await startListener(each, { ...deps, nodes: config.zones.length, targetGroups, connections }))
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
    listeners: listeners.map(({ host, port }) => ({ host, port })),
    targetGroup(name) {
      const group = targetGroups.get(name)
      if (!group) throw new Error(`${config.name} has no target group ${name}.`)
      return group
    },
    drain,
    stop: () => (stopped ??= stop()),
  }
}
