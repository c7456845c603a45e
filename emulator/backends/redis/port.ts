import type { Log } from '../../../services/wire/log.ts'
import type { Available, Declined } from '../probe.ts'

/** A running Redis, or something that answers like one. */
export interface RedisBackend {
  /** `redis://127.0.0.1:port` */
  readonly url: string
  /** One line for the user: version, adapter, address. */
  readonly detail: string
  /** False for the emulated one: no persistence, no replication, no eviction. */
  readonly isReal: boolean
  stop(): Promise<void>
}

export interface RedisAdapter {
  readonly name: 'installed' | 'emulated'
  probe(): Promise<Available | Declined>
  start(context: RedisContext): Promise<RedisBackend>
}

export interface RedisContext {
  readonly stateDir: string
  /** 0 takes any free port. */
  readonly port: number
  readonly log: Log
}
