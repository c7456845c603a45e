import { join } from 'node:path'
import type { Clock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import { AldeaError } from '../core/errors.ts'
import type { EventStream } from '../core/events.ts'
import { postgresAdapters, redisAdapters } from './adapters.ts'
import type { PostgresAdapter, PostgresBackend } from './postgres/port.ts'
import type { Available, Declined } from './probe.ts'
import { watchBackend } from './watch.ts'
import type { RedisAdapter, RedisBackend } from './redis/port.ts'

export interface ChooseOptions {
  /** Of the backend, as the system calls it; also its folder in the state folder. */
  readonly name: string
  /** Of the environment. */
  readonly stateDir: string
  readonly cacheDir: string
  /** A Redis server to use instead of the one on PATH. */
  readonly redisBinary: string | undefined
  /** 0 takes any free port. */
  readonly port: number
  readonly log: Log
  readonly clock: Clock
  readonly events: EventStream
}

/** Starts PostgreSQL by the first adapter that can run here. */
export async function choosePostgres(options: ChooseOptions & { readonly database: string }): Promise<PostgresBackend> {
  const adapter = await choose<PostgresAdapter>(postgresAdapters(options), options)
  const { port, database, log } = options
  return adapter.start({
    stateDir: join(options.stateDir, options.name),
    port,
    database,
    log,
    watch: watchBackend(options.name, options),
  })
}

/** Starts Redis by the first adapter that can run here. */
export async function chooseRedis(options: ChooseOptions): Promise<RedisBackend> {
  const adapter = await choose<RedisAdapter>(redisAdapters(options), options)
  const { port, log } = options
  return adapter.start({
    stateDir: join(options.stateDir, options.name),
    port,
    log,
    watch: watchBackend(options.name, options),
  })
}

interface Probed {
  readonly name: string
  probe(): Promise<Available | Declined>
}

/** The first adapter that is available. Each one before it says why it is not, in an event and in the error when none is. */
export async function choose<A extends Probed>(
  adapters: readonly A[],
  { name: backend, events, clock }: Pick<ChooseOptions, 'name' | 'events' | 'clock'>,
): Promise<A> {
  const reasons: string[] = []
  for (const adapter of adapters) {
    const probed = await adapter.probe()
    if (probed.available) return adapter
    events.emit({ type: 'backend.declined', at: clock.now(), backend, adapter: adapter.name, reason: probed.reason })
    reasons.push(`${adapter.name}: ${probed.reason}`)
  }
  throw new AldeaError('ALDEA_MISSING', `Nothing here can run ${backend}. ${reasons.join(' ')}`, {
    hint: 'Install one of these.',
  })
}
