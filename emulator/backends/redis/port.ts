import type { Log } from '../../../services/wire/log.ts'
import type { Available, Declined } from '../probe.ts'
import type { BackendWatch } from '../watch.ts'

/** A running Redis, or something that answers like one. */
export interface RedisBackend {
  /** `redis://127.0.0.1:port`; another one after a successor was promoted. */
  readonly url: string
  /** One line for the user: version, adapter, address. */
  readonly detail: string
  /** False for the emulated one: no persistence, no replication, no eviction. */
  readonly isReal: boolean
  /** Starts a replica, which has everything when this resolves. Absent where nothing replicates. */
  startSuccessor?(): Promise<RedisSuccessor>
  /** Ends it as kill -9 would; it comes back at the same address. Absent where the server is not ours to kill. */
  kill?(): void
  stop(): Promise<void>
}

/** A replica that could take over. */
export interface RedisSuccessor {
  /** Makes it the primary, of later starts too; the one before ends. */
  promote(): Promise<void>
  /** Ends it. */
  discard(): Promise<void>
}

export interface RedisAdapter {
  readonly name: 'container' | 'external' | 'installed' | 'emulated'
  probe(): Promise<Available | Declined>
  start(context: RedisContext): Promise<RedisBackend>
}

export interface RedisContext {
  readonly stateDir: string
  /** 0 takes any free port. */
  readonly port: number
  readonly log: Log
  /** Hears when it ends by itself, and when it is back. */
  readonly watch?: BackendWatch | undefined
}
