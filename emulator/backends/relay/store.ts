import type { Clock } from '../../../services/wire/clock.ts'
import type { EventStream } from '../../core/events.ts'
import type { BackendInstance } from '../../core/system.ts'
import type { PostgresBackend } from '../postgres/port.ts'
import type { RedisBackend } from '../redis/port.ts'
import { tell } from '../redis/tell.ts'
import { startPostgresRelay, type PostgresRelay } from './postgres.ts'
import { startRedisRelay, type RedisRelay } from './redis.ts'
import { createRoles, type Roles } from './roles.ts'

/** A database as services reach it: at one address, whichever of its instances is primary. */
export interface Store {
  readonly url: string
  /** One line for the user. */
  readonly detail: string
  /** Ends the server as kill -9 would; absent where it is not ours to kill. */
  kill?(): void
  /** Absent where services reach the server itself: nothing stands between that could fail. */
  readonly faults?: StoreFaults
  stop(): Promise<void>
}

/** What goes wrong between services and a database (aws-behaviour.md §7). */
export interface StoreFaults {
  /** The instance that is primary now. */
  readonly primary: BackendInstance
  /** Resolves when it is over, or the environment has ended. @throws Error when there is no second instance, or one is under way. */
  failover(options?: FailoverOptions): Promise<void>
  /** Ends every connection, with RST where `isReset`; new ones work. */
  disconnect(options?: { readonly isReset?: boolean }): void
  /** Says nothing more on any connection, old or new, for so long; then these are reset. */
  silence(durationMs: number): void
  /** Ends every connection, and is there without serving anybody for so long. */
  reboot(durationMs: number): void
}

export interface FailoverOptions {
  /** Until the new primary serves: 60 s of PostgreSQL, 10 s of Redis when absent, the least that AWS lets expect. */
  readonly durationMs?: number
  /** Somebody asked for it; otherwise the node is lost, and its connections hang. Planned when absent. */
  readonly isPlanned?: boolean
}

export interface StoreOptions {
  /** Of the backend, as the system calls it. */
  readonly name: string
  readonly instances: readonly BackendInstance[]
  readonly clock: Clock
  readonly events: EventStream
  /** Of the relay; 0 takes any free one. */
  readonly port: number
}

const POSTGRES_FAILOVER_MS = 60_000
const REDIS_FAILOVER_MS = 10_000
const HOST = '127.0.0.1'

/**
 * Puts a relay before PostgreSQL. Both instances of a Multi-AZ deployment have the same storage, and the standby serves
 * nobody: one server over one data folder is what its clients see of both.
 */
export async function relayPostgres(backend: PostgresBackend, options: StoreOptions): Promise<Store> {
  const relay = await startPostgresRelay({
    ...options,
    listen: { host: HOST, port: options.port },
    target: () => backend.url,
  })
  const roles = createRoles(options.name, options.instances)
  return storeOf(backend, relay, roles, ({ durationMs = POSTGRES_FAILOVER_MS, isPlanned }) =>
    relay.failover({ durationMs, isPlanned }),
  )
}

/**
 * Puts a relay before Redis. Where a server can replicate, its replica runs from the beginning of a failover, and alone
 * after it: two of them all the time would cost twice the memory. Elsewhere one server plays both instances, and forgets what no replica would know.
 */
export async function relayRedis(backend: RedisBackend, options: StoreOptions): Promise<Store> {
  const relay = await startRedisRelay({
    ...options,
    listen: { host: HOST, port: options.port },
    target: () => backend.url,
  })
  const roles = createRoles(options.name, options.instances)
  return storeOf(backend, relay, roles, async ({ durationMs = REDIS_FAILOVER_MS, isPlanned }, next) => {
    const [from, successor] = [roles.node(roles.primary), roles.node(next)]
    const replica = await backend.startSuccessor?.()
    const promote = (): Promise<void> => replica?.promote() ?? tell(backend.url, ['SCRIPT', 'FLUSH'])
    try {
      await relay.failover({ durationMs, isPlanned, from, successor, promote })
    } catch (error) {
      await replica?.discard()
      throw error
    }
  })
}

function storeOf(
  backend: PostgresBackend | RedisBackend,
  relay: RedisRelay | PostgresRelay,
  roles: Roles,
  failover: (options: FailoverOptions, successor: BackendInstance) => Promise<void>,
): Store {
  let isFailingOver = false
  let isStopping = false
  const { url } = relay
  return {
    url,
    detail: `${new URL(url).host} → ${backend.detail}`,
    ...(backend.kill && { kill: () => backend.kill?.() }),
    faults: {
      get primary() {
        return roles.primary
      },
      async failover(options = {}) {
        const { primary, successor } = roles
        if (!successor) throw new Error(`${primary.name} has no second instance that could take over.`)
        if (isFailingOver) throw new Error(`A failover from ${primary.name} is under way.`)
        isFailingOver = true
        try {
          await failover(options, successor)
          roles.swap()
        } catch (error) {
          // Nobody is there to take over any more.
          if (!isStopping) throw error
        } finally {
          isFailingOver = false
        }
      },
      disconnect: ({ isReset = false } = {}) => relay.drop({ reset: isReset }),
      silence: (durationMs) => relay.blackHole(durationMs),
      reboot: (durationMs) => relay.reboot(durationMs),
    },
    async stop() {
      isStopping = true
      await relay.stop()
      await backend.stop()
    },
  }
}
