import { systemClock } from '../../services/wire/clock.ts'
import type { Runtime } from '../../services/wire/runtime.ts'
import { startLoadBalancer, type LoadBalancer } from '../alb/load-balancer.ts'
import { choosePostgres, chooseRedis } from '../backends/choose.ts'
import { startService } from '../ecs/service.ts'
import { loadFunction, type LoadedFunction } from '../lambda/function.ts'
import { createLog } from '../observability/log.ts'
import type { EnvironmentOptions } from './environment-options.ts'
import type { EventStream } from './events.ts'
import type { Part, StartedPart } from './lifecycle.ts'
import { findPortHolder, portTaken } from './ports.ts'
import type { Secrets } from './secrets.ts'
import type { BackendSpec, FunctionSpec, References, ServiceSpec } from './system.ts'

/** What the parts of one environment are built from, and what each leaves behind for those that start after it. */
export interface World extends EnvironmentOptions {
  readonly events: EventStream
  readonly shared: Runtime['shared']
  readonly stateDir: string
  readonly secrets: Secrets
  balancer: LoadBalancer | undefined
  readonly backends: Map<string, { readonly url: string }>
  readonly addresses: Map<string, readonly string[]>
  readonly functions: Map<string, LoadedFunction>
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

export function backendPart(world: World, spec: BackendSpec): Part {
  const { stateDir, cacheDir, events, redisBinary, clock } = world
  return {
    name: spec.name,
    after: [],
    async start(): Promise<StartedPart> {
      const context = {
        name: spec.name,
        stateDir,
        cacheDir,
        port: 0,
        log: logOf(world, spec.name),
        clock,
        events,
        redisBinary,
      }
      const backend =
        spec.kind === 'postgres'
          ? await choosePostgres({ ...context, database: spec.database })
          : await chooseRedis(context)
      world.backends.set(spec.name, backend)
      return backend
    },
  }
}

export function servicePart(world: World, spec: ServiceSpec): Part {
  const loaded = loadAfterChildren(spec)
  return {
    name: spec.name,
    activity: spec.activity,
    after: spec.targetGroup === undefined ? spec.after : [LOAD_BALANCER, ...spec.after],
    async start() {
      const { start } = await loaded
      const service = await startService({
        name: spec.name,
        start,
        zones: spec.taskZones,
        variables: spec.variables(referencesOf(world)),
        runtime: runtimeOf(world, spec.name),
        targetGroup: spec.targetGroup === undefined ? undefined : world.balancer?.targetGroup(spec.targetGroup),
        listen: spec.listens ? { host: '127.0.0.1', port: 0 } : undefined,
      })
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
  return {
    name: spec.name,
    after: spec.after,
    async start() {
      const { start } = await program
      const variables = spec.variables(referencesOf(world))
      const runtime = runtimeOf(world, spec.name)
      const loaded = await loadFunction({ name: spec.name, start, variables, runtime })
      world.functions.set(spec.name, loaded)
      const answer = spec.invokeAtStart === undefined ? undefined : await loaded.invoke(spec.invokeAtStart)
      const detail = answer === undefined ? 'function' : `function, invoked: ${JSON.stringify(answer)}`
      return { detail, stop: () => loaded.stop() }
    },
  }
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

function referencesOf({ backends, addresses, secrets }: World): References {
  return {
    backend: (name) => known(backends, name).url,
    addresses: (service) => known(addresses, service),
    secret(name) {
      const value = secrets[name]
      if (value === undefined) throw new Error(`${name} is not among the secrets of the topology.`)
      return value
    },
  }
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
