import { resolve } from 'node:path'
import type { Variables } from '../../services/wire/runtime.ts'
import { createShared } from '../../services/wire/shared.ts'
import type { Metrics } from '../alb/metrics/metrics.ts'
import { authorityFile } from '../alb/tls/authority.ts'
import type { EnvironmentOptions } from './environment-options.ts'
import { createEventStream, type EventStream } from './events.ts'
import { openKeptPorts } from './kept-ports.ts'
import { startParts } from './lifecycle.ts'
import { environmentVariables } from './environment-variables.ts'
import { parseExternalServices } from './external-services.ts'
import { type Faults, faultsOf, found } from './faults.ts'
import { awsEndpointPart } from './parts/aws-endpoint.ts'
import { backendPart } from './parts/backend.ts'
import { accessLogFolder, loadBalancerPart, tlsFolder } from './parts/balancer.ts'
import { externalServicePart } from './parts/external-service.ts'
import { functionPart } from './parts/function.ts'
import { queueUrlsOf } from './parts/queue-urls.ts'
import { servicePart } from './parts/service.ts'
import type { World } from './parts/world.ts'
import { openSecrets, type Secrets } from './secrets.ts'
import { openStateDir } from './state-dir.ts'
import type { Topology } from './system.ts'

/** One running copy of a system. */
export interface Environment {
  readonly name: string
  /** Holds the folder of its state, for commands: `ALDEA_STATE_DIR`. Absolute. */
  readonly baseDir: string
  readonly topology: Topology
  /** Where the load balancer answers: `http://host:port`. */
  readonly url: string
  /** The same over TLS, where that was asked for. */
  readonly httpsUrl: string | undefined
  readonly events: EventStream
  /** Of the load balancer, by minute. */
  readonly metrics: Metrics
  /** Folder of the load balancer's access log. */
  readonly accessLogDir: string
  /** URL of each database, for clients of one's own such as psql or redis-cli. */
  readonly backends: Readonly<Record<string, string>>
  /** Where SQS and Lambda answer: `http://host:port`. */
  readonly awsEndpoint: string
  /** URL of each queue, by its name. */
  readonly queueUrls: Readonly<Record<string, string>>
  /** What other programs find the parts by: `DATABASE_URL`, `AWS_ENDPOINT_URL`, … */
  readonly variables: Readonly<Record<string, string>>
  /** What each service was started with; of `replace`, what the program in its place is to be started with. */
  readonly serviceVariables: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly faults: Faults
  /** The secrets that services were started with. */
  readonly secrets: Secrets
  invoke(functionName: string, event: unknown): Promise<unknown>
  stop(): Promise<void>
}

/** Starts every part of a system, or nothing: what was started before a failure is stopped again. */
export async function startTopology(options: EnvironmentOptions): Promise<Environment> {
  const { topology, clock } = options
  const external = parseExternalServices(topology, options.replace ?? {})
  const events = createEventStream()
  if (options.onEvent) events.read(options.onEvent)
  const state = await openStateDir({ baseDir: options.baseDir, name: options.name })

  try {
    const secrets = await openSecrets(state.path, topology.secrets)
    const world: World = {
      ...options,
      events,
      secrets,
      ports: await openKeptPorts(state.path),
      shared: createShared(),
      stateDir: state.path,
      balancer: undefined,
      metrics: undefined,
      aws: undefined,
      queue: undefined,
      stores: new Map(),
      services: new Map(),
      variables: new Map(),
      addresses: new Map(),
      functions: new Map(),
      mappings: [],
    }
    const parts = [
      loadBalancerPart(world),
      awsEndpointPart(world),
      ...topology.backends.map((spec) => backendPart(world, spec)),
      ...topology.services.map((spec) => {
        const addresses = external[spec.name]
        return addresses ? externalServicePart(world, spec, addresses) : servicePart(world, spec)
      }),
      ...topology.functions.map((spec) => functionPart(world, spec)),
    ]
    const lifecycle = await startParts(parts, { clock, events })
    const { url, httpsUrl } = urlsOf(world)
    const { stage, profile } = topology
    const backends = Object.fromEntries([...world.stores].map(([name, store]) => [name, store.url]))
    const awsEndpoint = ready(world.aws).url
    const queueUrls = queueUrlsOf(topology, awsEndpoint)
    const variables = environmentVariables(topology, {
      url,
      ...(httpsUrl !== undefined && {
        https: { url: httpsUrl, authority: authorityFile(tlsFolder(options.cacheDir)) },
      }),
      awsEndpoint,
      backends,
      queueUrls,
    })
    const serviceVariables = Object.fromEntries([...world.variables].map(([name, given]) => [name, definedOf(given)]))
    const registry = {
      pid: process.pid,
      url,
      httpsUrl,
      stage,
      profile,
      backends,
      queueUrls,
      variables,
      serviceVariables,
    }
    const told = Promise.all([world.ports.save(), state.writeRegistry({ ...registry, secrets })])
    await told.catch(async (error: unknown) => {
      await lifecycle.stop()
      throw error
    })

    return {
      name: options.name,
      baseDir: resolve(options.baseDir),
      topology,
      url,
      httpsUrl,
      events,
      metrics: ready(world.metrics),
      accessLogDir: accessLogFolder(state.path),
      secrets,
      backends,
      awsEndpoint,
      queueUrls,
      variables,
      serviceVariables,
      faults: faultsOf(world),
      invoke: (name, event) => found(world.functions, name).invoke(event),
      async stop() {
        try {
          await lifecycle.stop()
        } finally {
          await state.release()
        }
      },
    }
  } catch (error) {
    await state.release()
    throw error
  }
}

function definedOf(variables: Variables): Record<string, string> {
  const defined = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(defined)
}

function urlsOf({ balancer }: World): { readonly url: string; readonly httpsUrl: string | undefined } {
  const { listeners } = ready(balancer)
  const [plain, secure] = listeners.map(({ host, port }) => `${host}:${port}`)
  return { url: `http://${ready(plain)}`, httpsUrl: secure && `https://${secure}` }
}

/** What a part has left behind that every environment has. */
function ready<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A part was started and left nothing behind.')
  return value
}
