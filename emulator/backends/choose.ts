import { join } from 'node:path'
import type { Clock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import { AldeaError } from '../core/errors.ts'
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
export async function choosePostgres(options: ChooseOptions & { readonly database: string }): Promise<PostgresBackend> {
  const adapter = await choose<PostgresAdapter>(postgresAdapters(withProgress(options)), options)
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
  const adapter = await choose<RedisAdapter>(redisAdapters(withProgress(options)), options)
  const { port, log } = options
  return adapter.start({
    stateDir: join(options.stateDir, options.name),
    port,
    log,
    watch: watchBackend(options.name, options),
  })
}

/** Starts the queues by the first adapter that can run here. `port` has no meaning: the AWS endpoint is their address. */
export async function chooseQueue(
  options: ChooseOptions & QueueChoice & { readonly queues: readonly QueueSpec[]; readonly ids: Ids },
): Promise<QueueBackend> {
  const adapter = await choose<QueueAdapter>(queueAdapters(withProgress(options)), options)
  const { region, queues, clock, ids, log } = options
  return adapter.start({ stateDir: join(options.stateDir, options.name), region, queues, clock, ids, log })
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

/** The first adapter that is available. Each one before it says why it is not, in an event and in the error when none is. */
export async function choose<A extends Probed>(
  adapters: readonly A[],
  { name: backend, events, clock }: Pick<ChooseOptions, 'name' | 'events' | 'clock'>,
): Promise<A> {
  const reasons: string[] = []
  let hint: string | undefined
  for (const adapter of adapters) {
    const probed = await adapter.probe()
    if (probed.available) return adapter
    events.emit({ type: 'backend.declined', at: clock.now(), backend, adapter: adapter.name, reason: probed.reason })
    reasons.push(`${adapter.name}: ${probed.reason}`)
    hint ??= probed.hint
  }
  throw new AldeaError('ALDEA_MISSING', `Nothing here can run ${backend}. ${reasons.join(' ')}`, {
    hint: hint ?? 'Install one of these.',
  })
}
