import type { Log } from '../../../services/wire/log.ts'
import type { Available, Declined } from '../probe.ts'
import type { BackendWatch } from '../watch.ts'

/** A running PostgreSQL, 15 to 18. */
export interface PostgresBackend {
  /** `postgres://user:password@127.0.0.1:port/database`, for superuser work. */
  readonly url: string
  /** One line for the user: version, adapter, address. */
  readonly detail: string
  /** Ends it as kill -9 would; it comes back at the same address. Absent where the server is not ours to kill. */
  kill?(): void
  stop(): Promise<void>
}

export interface PostgresAdapter {
  readonly name: 'container' | 'external' | 'embedded' | 'installed'
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
  /** Hears when it ends by itself, and when it is back. */
  readonly watch?: BackendWatch | undefined
}
