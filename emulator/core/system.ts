import type { PrepareService, StartFunction, StartService, Variables } from '../../services/wire/runtime.ts'
import type { Action, Rule, TargetGroupConfig } from '../alb/model.ts'
import type { QueueSpec } from '../backends/queue/port.ts'
import { AldeaError } from './errors.ts'

/** A cloud system as data. `fixtures/systems/` holds one file for each; nothing else names its services. */
export interface System {
  readonly name: string
  readonly summary: string
  /** The first one is the default. */
  readonly stages: readonly string[]
  /** Contradicting drawings of the same system; the first one is the default. */
  readonly profiles: readonly Profile[]
  describe(choice: Choice): Topology
}

export interface Profile {
  readonly name: string
  readonly summary: string
}

export interface Choice {
  readonly stage: string
  readonly profile: string
  /** Speech engine: passed to the services that take one. */
  readonly engine: string
  /** Of the server that the engine hands speech to, where it has one. */
  readonly engineKey?: string | undefined
  readonly engineModel?: string | undefined
  /** Where the engine computes; its own choice when absent. */
  readonly device?: string | undefined
  /** File in which what the engine says is recorded. */
  readonly recordTo?: string | undefined
  /** Whose shapes the product's API answers in; its own when absent. */
  readonly compat?: string | undefined
  /** What every environment shares, such as imported models. */
  readonly cacheDir?: string | undefined
}

/** One stage of a system, ready to be started. */
export interface Topology {
  readonly system: string
  readonly stage: string
  readonly profile: string
  readonly region: string
  /** Zones with tasks. */
  readonly zones: readonly string[]
  readonly hosts: readonly Host[]
  readonly loadBalancer: LoadBalancerSpec
  readonly backends: readonly BackendSpec[]
  readonly services: readonly ServiceSpec[]
  readonly functions: readonly FunctionSpec[]
  /** Names of the secrets that its services ask for. */
  readonly secrets: readonly string[]
  readonly demo: Demo
}

/** A public name, and the local one that reaches the same rule. */
export interface Host {
  readonly name: string
  readonly twin: string
  readonly purpose: string
}

export interface LoadBalancerSpec {
  readonly name: string
  /** Zones with a node; not always those with tasks. */
  readonly zones: readonly string[]
  readonly rules: readonly Rule[]
  readonly defaultAction: Action
  readonly targetGroups: readonly TargetGroupConfig[]
}

export type BackendSpec = StoreSpec | QueuesSpec

/** A database: what services reach at one address, whichever instance is primary. */
export type StoreSpec = PostgresSpec | RedisSpec

interface PostgresSpec {
  readonly kind: 'postgres'
  readonly name: string
  /** Made when it is not there. */
  readonly database: string
  readonly instances: readonly BackendInstance[]
}

interface RedisSpec {
  readonly kind: 'redis'
  readonly name: string
  readonly instances: readonly BackendInstance[]
}

interface QueuesSpec {
  readonly kind: 'queue'
  readonly name: string
  readonly queues: readonly QueueSpec[]
}

export interface BackendInstance {
  readonly name: string
  readonly role: 'primary' | 'replica' | 'standby'
  readonly zone: string
}

export interface ServiceSpec {
  readonly name: string
  /** One task for each entry. */
  readonly taskZones: readonly string[]
  readonly targetGroup?: string
  /** What takes its time while it starts: `loading the model`. */
  readonly activity?: string | undefined
  /** Whether its tasks listen on loopback ports of their own, as programs outside the cluster do. */
  readonly listens: boolean
  /** Backends, services and functions that must be ready first. */
  readonly after: readonly string[]
  /** Its door; `prepare` is called where a program of the user's own takes its place. */
  load(): Promise<{ start: StartService; prepare?: PrepareService }>
  variables(references: References): Variables
}

export interface FunctionSpec {
  readonly name: string
  readonly after: readonly string[]
  /** 1 to 900. */
  readonly timeoutSeconds: number
  /** 128 to 10 240. */
  readonly memoryMb: number
  readonly eventSource?: EventSourceSpec
  /** Invoked once with this payload when the environment starts. */
  readonly invokeAtStart?: unknown
  load(): Promise<{ start: StartFunction }>
  variables(references: References): Variables
}

/** A queue whose messages a function is invoked with: the settings of an event source mapping. */
export interface EventSourceSpec {
  readonly queue: string
  readonly batchSize: number
  readonly maximumBatchingWindowSeconds: number
  /** Whether the function's answer says which messages of a batch failed. */
  readonly reportBatchItemFailures: boolean
  /** 2 to 1 000; as many as the mapping likes when absent. */
  readonly maximumConcurrency?: number
}

/** How variables name other parts. */
export interface References {
  readonly region: string
  /** `http://127.0.0.1:port`, for whoever speaks SQS or Lambda. */
  readonly awsEndpoint: string
  /** As an SQS client names it. */
  queueUrl(queue: string): string
  /** URL of a backend's primary. */
  backend(name: string): string
  /** `http://127.0.0.1:port` of every task of a service that listens. */
  addresses(service: string): readonly string[]
  /** A secret of this environment: random, the same at every start. */
  secret(name: string): string
}

/** What a first visitor uses. */
export interface Demo {
  readonly organisation: string
  readonly key: string
  /** Absolute path of a clip to send. */
  readonly audioFile: string
  /** Path of the API that takes it. */
  readonly path: string
}

/** The first system when none is named. @throws ALDEA_USAGE naming what there is. */
export function parseSystem(systems: readonly System[], wanted: string | undefined): System {
  const names = systems.map(({ name }) => name)
  // `pick` has thrown where none has that name.
  return systems[names.indexOf(pick('system', wanted, names))] as System
}

/** What is not named is the system's first. */
export type WantedChoice = Omit<Choice, 'stage' | 'profile'> & Partial<Pick<Choice, 'stage' | 'profile'>>

/** Picks a stage and a profile by name. @throws ALDEA_USAGE naming what there is. */
export function parseChoice(system: System, wanted: WantedChoice): Choice {
  const profiles = system.profiles.map((profile) => profile.name)
  return {
    ...wanted,
    stage: pick('stage', wanted.stage, system.stages),
    profile: pick('profile', wanted.profile, profiles),
  }
}

function pick(what: string, wanted: string | undefined, known: readonly string[]): string {
  const [first] = known
  const name = wanted ?? first
  if (name !== undefined && known.includes(name)) return name
  throw new AldeaError('ALDEA_USAGE', `There is no ${what} ${name}.`, { hint: `Known: ${known.join(', ')}.` })
}
