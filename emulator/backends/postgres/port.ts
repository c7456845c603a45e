import type { Log } from '../../../services/wire/log.ts'
import type { Available, Declined } from '../probe.ts'

/** A running PostgreSQL, 15 to 18. */
export interface PostgresBackend {
  /** `postgres://user:password@127.0.0.1:port/database`, for superuser work. */
  readonly url: string
  /** One line for the user: version, adapter, address. */
  readonly detail: string
  stop(): Promise<void>
}

export interface PostgresAdapter {
  readonly name: 'embedded' | 'installed'
  probe(): Promise<Available | Declined>
  start(context: PostgresContext): Promise<PostgresBackend>
}

export interface PostgresContext {
  /** Where data and logs live; made when absent. Kept from one start to the next. */
  readonly stateDir: string
  /** 0 takes any free port. */
  readonly port: number
  readonly database: string
  readonly log: Log
}
