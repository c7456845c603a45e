import type { Runtime, Variables } from '../../../services/wire/runtime.ts'
import type { LoadBalancer } from '../../alb/load-balancer.ts'
import type { Metrics } from '../../alb/metrics/metrics.ts'
import type { AwsEndpoint } from '../../aws/endpoint.ts'
import type { QueueBackend } from '../../backends/queue/port.ts'
import type { Store } from '../../backends/relay/store.ts'
import type { Service } from '../../ecs/service.ts'
import type { EventSourceMapping } from '../../lambda/event-source.ts'
import type { LoadedFunction } from '../../lambda/function.ts'
import { createLog } from '../../observability/log.ts'
import type { EnvironmentOptions } from '../environment-options.ts'
import type { EventStream } from '../events.ts'
import type { KeptPorts } from '../kept-ports.ts'
import type { Secrets } from '../secrets.ts'

/** What the parts of one environment are built from, and what each leaves behind for those that start after it. */
export interface World extends EnvironmentOptions {
  readonly events: EventStream
  readonly shared: Runtime['shared']
  readonly stateDir: string
  readonly secrets: Secrets
  readonly ports: KeptPorts
  balancer: LoadBalancer | undefined
  /** Of the balancer. */
  metrics: Metrics | undefined
  aws: AwsEndpoint | undefined
  queue: QueueBackend | undefined
  /** Databases, by their names in the topology. */
  readonly stores: Map<string, Store>
  readonly services: Map<string, Service>
  /** What each service was started with, or is to be started with by the user. */
  readonly variables: Map<string, Variables>
  readonly addresses: Map<string, readonly string[]>
  readonly functions: Map<string, LoadedFunction>
  readonly mappings: EventSourceMapping[]
}

export function runtimeOf(world: World, part: string): Runtime {
  return { clock: world.clock, ids: world.ids, shared: world.shared, log: logOf(world, part) }
}

export function logOf({ events, clock, logLevel }: World, part: string): Runtime['log'] {
  return createLog({ events, clock, part, level: logLevel })
}
