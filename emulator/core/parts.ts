import { systemClock } from '../../services/wire/clock.ts'
import type { Runtime } from '../../services/wire/runtime.ts'
import { type AwsEndpoint, startAwsEndpoint } from '../aws/endpoint.ts'
import { startLoadBalancer, type LoadBalancer } from '../alb/load-balancer.ts'
import { ACCOUNT_ID, type QueueBackend } from '../backends/queue/port.ts'
import { choosePostgres, chooseQueue, chooseRedis } from '../backends/choose.ts'
import { type Service, startService } from '../ecs/service.ts'
import { createLambdaApi } from '../lambda/api/listener.ts'
import { type EventSourceMapping, startEventSource } from '../lambda/event-source.ts'
import { loadFunction, type LoadedFunction } from '../lambda/function.ts'
import { createLog } from '../observability/log.ts'
import type { EnvironmentOptions } from './environment-options.ts'
import type { EventStream } from './events.ts'
import type { Part, StartedPart } from './lifecycle.ts'
import { findPortHolder, portTaken } from './ports.ts'
import type { Secrets } from './secrets.ts'
import type { BackendSpec, EventSourceSpec, FunctionSpec, References, ServiceSpec, Topology } from './system.ts'

/** What the parts of one environment are built from, and what each leaves behind for those that start after it. */
export interface World extends EnvironmentOptions {
  readonly events: EventStream
  readonly shared: Runtime['shared']
  readonly stateDir: string
  readonly secrets: Secrets
  balancer: LoadBalancer | undefined
  aws: AwsEndpoint | undefined
  queue: QueueBackend | undefined
  /** URL of each database, by its name in the topology. */
  readonly stores: Map<string, { readonly url: string; kill?(): void }>
  readonly services: Map<string, Service>
  readonly addresses: Map<string, readonly string[]>
  readonly functions: Map<string, LoadedFunction>
  readonly mappings: EventSourceMapping[]
}

const LOAD_BALANCER = 'load-balancer'

/** Bound first, so that a taken port is known at once; until its targets are there it answers 503, as the real one does. */
export function loadBalancerPart(world: World): Part {
  const { loadBalancer } = world.topology
  const { host, port } = world
  return {
    name: LOAD_BALANCER,
    after: [],
    async start() {
      const listener = { host, port, rules: loadBalancer.rules, defaultAction: loadBalancer.defaultAction }
      const { name, zones, targetGroups } = loadBalancer
      const balancer = await startLoadBalancer({ name, zones, targetGroups, listeners: [listener] }, world).catch(
        async (error: unknown) => {
          throw isAddressInUse(error) ? portTaken(port, await findPortHolder(port)) : error
        },
      )
      world.balancer = balancer
      const bound = balancer.listeners.map((each) => `${each.host}:${each.port}`).join(', ')
      return { detail: `${bound}  ${name}, nodes in ${zones.join(', ')}`, stop: () => balancer.stop() }
    },
  }
}

const AWS_ENDPOINT = 'aws'

/** Bound first as well. */
export function awsEndpointPart(world: World): Part {
  const { host, awsPort } = world
  return {
    name: AWS_ENDPOINT,
    after: [],
    async start() {
      const endpoint = await startAwsEndpoint({
        host,
        port: awsPort,
        queue: () => world.queue,
        functions: createLambdaApi({
          region: world.topology.region,
          functions: world.functions,
          mappings: () => world.mappings,
          clock: world.clock,
          ids: world.ids,
        }),
      }).catch(async (error: unknown) => {
        throw isAddressInUse(error) ? portTaken(awsPort, await findPortHolder(awsPort), '--aws-port') : error
      })
      world.aws = endpoint
      return { detail: `${endpoint.url}  SQS and Lambda`, stop: () => endpoint.stop() }
    },
  }
}

export function backendPart(world: World, spec: BackendSpec): Part {
  const { stateDir, cacheDir, events, redisBinary, clock } = world
  return {
    name: spec.name,
    after: [],
    async start(): Promise<StartedPart> {
      const { mode, urls, container, awsCredentials = {} } = world.backends
      const context = {
        name: spec.name,
        stateDir,
        cacheDir,
        port: 0,
        log: logOf(world, spec.name),
        clock,
        events,
        redisBinary,
        mode,
        externalUrl: urls[spec.kind],
        ...(container && { container }),
      }
      if (spec.kind === 'queue') {
        const { region } = world.topology
        world.queue = await chooseQueue({
          ...context,
          region,
          queues: spec.queues,
          ids: world.ids,
          variables: awsCredentials,
        })
        return world.queue
      }
      const store =
        spec.kind === 'postgres'
          ? await choosePostgres({ ...context, database: spec.database })
          : await chooseRedis(context)
      world.stores.set(spec.name, store)
      return store
    },
  }
}

export function servicePart(world: World, spec: ServiceSpec): Part {
  const loaded = loadAfterChildren(spec)
  return {
    name: spec.name,
    activity: spec.activity,
    after: [AWS_ENDPOINT, ...(spec.targetGroup === undefined ? [] : [LOAD_BALANCER]), ...spec.after],
    async start() {
      const { start } = await loaded
      const service = await startService({
        name: spec.name,
        start,
        zones: spec.taskZones,
        events: world.events,
        variables: spec.variables(referencesOf(world)),
        runtime: runtimeOf(world, spec.name),
        targetGroup: spec.targetGroup === undefined ? undefined : world.balancer?.targetGroup(spec.targetGroup),
        listen: spec.listens ? { host: '127.0.0.1', port: 0 } : undefined,
      })
      world.services.set(spec.name, service)
      const addresses = service.tasks.flatMap((task) => (task.address === undefined ? [] : [task.address]))
      world.addresses.set(spec.name, addresses)
      const zones = service.tasks.map((task) => task.zone).join(', ')
      const where = addresses.length > 0 ? addresses.join(', ') : 'in-process'
      return { detail: `${where}  ${plural(service.tasks.length, 'task')} in ${zones}`, stop: () => service.stop() }
    },
  }
}

export function functionPart(world: World, spec: FunctionSpec): Part {
  const program = loadAfterChildren(spec)
  const { name, timeoutSeconds, memoryMb, eventSource } = spec
  return {
    name,
    after: [AWS_ENDPOINT, ...spec.after],
    async start() {
      const { start } = await program
      const variables = spec.variables(referencesOf(world))
      const runtime = runtimeOf(world, name)
      const { region } = world.topology
      const coldStarts = world.hasColdStarts === true ? 'every-time' : 'kept'
      const loaded = await loadFunction({
        name,
        region,
        timeoutSeconds,
        memoryMb,
        coldStarts,
        start,
        variables,
        runtime,
      })
      try {
        const answer = await invokeToEnd(loaded, spec.invokeAtStart)
        const mapping = eventSource && (await startMapping(world, eventSource, loaded))
        world.functions.set(name, loaded)
        const about = eventSource ? `function, reads ${eventSource.queue}` : 'function'
        return {
          detail: answer === undefined ? about : `${about}, invoked: ${JSON.stringify(answer)}`,
          async stop() {
            await mapping?.stop()
            await loaded.stop()
          },
        }
      } catch (error) {
        await loaded.stop()
        throw error
      }
    },
  }
}

/** Invokes it again as long as it says where to go on, as one does whose work is longer than its time-out. */
async function invokeToEnd(target: LoadedFunction, event: unknown): Promise<unknown> {
  if (event === undefined) return undefined
  for (let next = event; ;) {
    const answer = await target.invoke(next)
    if (!isUnfinished(answer)) return answer
    next = { ...(event as object), after: answer.next }
  }
}

function isUnfinished(answer: unknown): answer is { readonly next: string } {
  return typeof answer === 'object' && answer !== null && 'next' in answer && typeof answer.next === 'string'
}

async function startMapping(world: World, spec: EventSourceSpec, target: LoadedFunction): Promise<EventSourceMapping> {
  const { queue, clock, ids } = world
  if (!queue) throw new Error(`${target.name} reads a queue: name its backend in "after".`)
  const log = logOf(world, target.name)
  const mapping = await startEventSource({ spec, source: queue.source(spec.queue), target, clock, ids, log })
  world.mappings.push(mapping)
  return mapping
}

/**
 * Programs are read while the children they wait for start, and not before those are on their way: reading keeps the
 * thread busy, and a database that starts in steps would wait for its turn at each. Real time: it is about this thread,
 * not about the emulated world.
 */
const CHILDREN_FIRST_MS = 50

/** A failure is thrown where the program is needed, not here. */
function loadAfterChildren<T>(spec: { load(): Promise<T> }): Promise<T> {
  const program = systemClock.sleep(CHILDREN_FIRST_MS).then(() => spec.load())
  program.catch(() => undefined)
  return program
}

function referencesOf({ topology, aws, stores, addresses, secrets }: World): References {
  if (!aws) throw new Error('The AWS endpoint is not ready: name it in "after".')
  return {
    region: topology.region,
    awsEndpoint: aws.url,
    queueUrl: (queue) => queueUrl(aws.url, queue),
    backend: (name) => known(stores, name).url,
    addresses: (service) => known(addresses, service),
    secret(name) {
      const value = secrets[name]
      if (value === undefined) throw new Error(`${name} is not among the secrets of the topology.`)
      return value
    },
  }
}

/** URL of every queue, those for dead letters included, by name. */
export function queueUrlsOf({ backends }: Topology, awsEndpoint: string): Record<string, string> {
  const names = backends
    .flatMap((backend) => (backend.kind === 'queue' ? backend.queues : []))
    .flatMap(({ name, deadLetterQueue }) => (deadLetterQueue ? [name, deadLetterQueue.name] : [name]))
  return Object.fromEntries(names.map((name) => [name, queueUrl(awsEndpoint, name)]))
}

function queueUrl(awsEndpoint: string, queue: string): string {
  return `${awsEndpoint}/${ACCOUNT_ID}/${queue}`
}

/** A part that asks for another one must name it in `after`; then it is there. */
function known<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name)
  if (part === undefined) throw new Error(`${name} is not ready: name it in "after".`)
  return part
}

function runtimeOf(world: World, part: string): Runtime {
  return { clock: world.clock, ids: world.ids, shared: world.shared, log: logOf(world, part) }
}

function logOf({ events, clock, logLevel }: World, part: string): Runtime['log'] {
  return createLog({ events, clock, part, level: logLevel })
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
