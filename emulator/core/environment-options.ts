import type { Clock } from '../../services/wire/clock.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { ContainerOptions } from '../backends/container/options.ts'
import type { EnvironmentEvent } from './events.ts'
import type { ExternalServices } from './external-services.ts'
import type { BackendSpec, Topology } from './system.ts'

/** What an environment is started from. */
export interface EnvironmentOptions {
  readonly topology: Topology
  /** Names the running copy; its state lives in `<baseDir>/<name>`. */
  readonly name: string
  readonly baseDir: string
  /** Where what is the same for every environment is kept between starts. */
  readonly cacheDir: string
  /** Address of the load balancer. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** A listener beside the one of plain HTTP; none when absent. */
  readonly https?: HttpsOptions | undefined
  /** Port of the one address that speaks SQS and Lambda; 0 takes any free one. */
  readonly awsPort: number
  readonly backends: BackendOptions
  /** Services that are not started, because programs of the user's own take their places; none when absent. */
  readonly replace?: ExternalServices
  /** Has the load balancer reach every service over TCP, as the real one does; within this process when absent. */
  readonly hasNetworkTargets?: boolean
  /** A Redis server to use instead of the one on PATH. */
  readonly redisBinary: string | undefined
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn'
  readonly clock: Clock
  readonly ids: Ids
  /** Gives every event of a function a fresh instance; instances are kept when absent. */
  readonly hasColdStarts?: boolean
  readonly onEvent?: (event: EnvironmentEvent) => void
}

export interface HttpsOptions {
  /** 0 takes any free port. */
  readonly port: number
  /** Whether plain HTTP is answered with a redirect there, whatever the rules say. */
  readonly redirects: boolean
}

export interface BackendOptions {
  /** What runs them: containers, programs of this machine, or whichever can. */
  readonly mode: 'auto' | 'container' | 'embedded'
  /** Servers that are already there, by kind; they are used as they are. */
  readonly urls: Readonly<Partial<Record<BackendSpec['kind'], string>>>
  /**
   * Whether services reach databases through relays, which can fail as those of the cloud do; servers of `urls` they
   * always reach directly. Absent: where a system lists more than one instance.
   */
  readonly hasRelays?: boolean
  /** The usual images on the usual engine when absent. */
  readonly container?: ContainerOptions
  /** Signs requests to a queue elsewhere: `AWS_ACCESS_KEY_ID`, … */
  readonly awsCredentials?: Readonly<Record<string, string | undefined>>
}
