import { join } from 'node:path'
import type { Clock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import { AldeaError, isAldeaError, messageOf } from '../core/errors.ts'
import type { EventStream } from '../core/events.ts'
import { postgresAdapters, queueAdapters, redisAdapters, type AdapterChoice, type QueueChoice } from './adapters.ts'
import { CONTAINER_DEFAULTS } from './container/options.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { PostgresAdapter, PostgresBackend } from './postgres/port.ts'
import type { Available, Declined } from './probe.ts'
import type { QueueAdapter, QueueBackend, QueueSpec } from './queue/port.ts'
import { watchBackend } from './watch.ts'
import type { RedisAdapter, RedisBackend } from './redis/port.ts'

export interface ChooseOptions extends AdapterChoice {
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
export function choosePostgres(options: ChooseOptions & { readonly database: string }): Promise<PostgresBackend> {
  const { port, database, log } = options
  const context = { stateDir: join(options.stateDir, options.name), port, database, log }
  const adapters: readonly PostgresAdapter[] = postgresAdapters(withProgress(options))
  return choose(adapters, options, (adapter) =>
    adapter.start({ ...context, watch: watchBackend(options.name, options) }),
  )
}

/** Starts Redis by the first adapter that can run here. */
export function chooseRedis(options: ChooseOptions): Promise<RedisBackend> {
  const { port, log } = options
  const context = { stateDir: join(options.stateDir, options.name), port, log }
  const adapters: readonly RedisAdapter[] = redisAdapters(withProgress(options))
  return choose(adapters, options, (adapter) =>
    adapter.start({ ...context, watch: watchBackend(options.name, options) }),
  )
}

/** Starts the queues by the first adapter that can run here. `port` has no meaning: the AWS endpoint is their address. */
export function chooseQueue(
  options: ChooseOptions & QueueChoice & { readonly queues: readonly QueueSpec[]; readonly ids: Ids },
): Promise<QueueBackend> {
  const { region, queues, clock, ids, log } = options
  const context = { stateDir: join(options.stateDir, options.name), region, queues, clock, ids, log }
  const adapters: readonly QueueAdapter[] = queueAdapters(withProgress(options))
  return choose(adapters, options, (adapter) => adapter.start(context))
}

/** A pull tells how far it is as what the starting part is doing. */
function withProgress<O extends ChooseOptions>(options: O): O {
  const { container = CONTAINER_DEFAULTS, name: part, events, clock } = options
  const onProgress = (activity: string): void => {
    container.onProgress(activity)
    events.emit({ type: 'part.starting', at: clock.now(), part, activity })
  }
  return { ...options, container: { ...container, onProgress } }
}

interface Probed {
  readonly name: string
  probe(): Promise<Available | Declined>
}

/**
 * Starts the first adapter that is available. Each one before it says why it is not, in an event and in the error when
 * none is. In `auto` one that is available and does not come up makes way for the next one; where the user insists on
 * one, its failure is thrown.
 */
export async function choose<A extends Probed, B>(
  adapters: readonly A[],
  { name: backend, mode, events, clock }: Pick<ChooseOptions, 'name' | 'mode' | 'events' | 'clock'>,
  start: (adapter: A) => Promise<B>,
): Promise<B> {
  const reasons: string[] = []
  let hint: string | undefined
  const decline = (adapter: A, reason: string): void => {
    events.emit({ type: 'backend.declined', at: clock.now(), backend, adapter: adapter.name, reason })
    reasons.push(`${adapter.name}: ${reason}`)
  }
  for (const adapter of adapters) {
    try {
      const probed = await adapter.probe()
      if (probed.available) return await start(adapter)
      decline(adapter, probed.reason)
      hint ??= probed.hint
    } catch (error) {
      if (mode !== 'auto' || adapter === adapters.at(-1) || isForTheUser(error)) throw error
      decline(adapter, messageOf(error))
    }
  }
  throw new AldeaError('ALDEA_MISSING', `Nothing here can run ${backend}. ${reasons.join(' ')}`, {
    hint: hint ?? 'Install one of these.',
  })
}

/** A port or data of the user's own: going on without a word would use others. */
function isForTheUser(error: unknown): boolean {
  return isAldeaError(error) && (error.code === 'ALDEA_PORT_TAKEN' || error.code === 'ALDEA_STATE_MISMATCH')
}
