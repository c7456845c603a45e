import { CONTAINER_DEFAULTS, type ContainerOptions } from './container/options.ts'
import { containerPostgres } from './postgres/container.ts'
import { embeddedPostgres } from './postgres/embedded.ts'
import { externalPostgres } from './postgres/external.ts'
import { installedPostgres } from './postgres/installed.ts'
import type { PostgresAdapter } from './postgres/port.ts'
import { containerQueue } from './queue/container.ts'
import { embeddedQueue } from './queue/embedded.ts'
import { externalQueue } from './queue/external.ts'
import type { QueueAdapter } from './queue/port.ts'
import { containerRedis } from './redis/container.ts'
import { emulatedRedis } from './redis/emulated.ts'
import { externalRedis } from './redis/external.ts'
import { installedRedis } from './redis/installed.ts'
import type { RedisAdapter } from './redis/port.ts'

/** `container` and `embedded` are what the user insists on; `auto` takes containers where they are to be had at once. */
export type BackendMode = 'auto' | 'container' | 'embedded'

export interface AdapterChoice {
  /** Absent: `embedded`. */
  readonly mode?: BackendMode | undefined
  /** A server that is there already. It is the only candidate: another one would not be what was asked for. */
  readonly externalUrl?: string | undefined
  readonly container?: ContainerOptions | undefined
}

/** The embedded one comes first: the same version on every machine. The machine's own serves where npm has none. */
export function postgresAdapters(choice: AdapterChoice & { readonly cacheDir: string }): PostgresAdapter[] {
  if (choice.externalUrl !== undefined) return [externalPostgres(choice.externalUrl)]
  const { cacheDir } = choice
  return ordered(choice, containerPostgres, [embeddedPostgres({ cacheDir }), installedPostgres({ cacheDir })])
}

/**
 * A real server comes first: it keeps data and evicts. The emulated one, last, turns nobody away. A server that the user
 * names is the only candidate: quietly running another one would not be what was asked for.
 */
export function redisAdapters(choice: AdapterChoice & { readonly redisBinary: string | undefined }): RedisAdapter[] {
  const { externalUrl, redisBinary, mode } = choice
  if (externalUrl !== undefined) return [externalRedis(externalUrl)]
  if (redisBinary !== undefined && mode !== 'container') return [installedRedis({ binary: redisBinary })]
  return ordered(choice, containerRedis, [installedRedis(), emulatedRedis])
}

export interface QueueChoice extends AdapterChoice {
  readonly region: string
  /** Keys for an external queue: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
}

export function queueAdapters(choice: QueueChoice): QueueAdapter[] {
  const { externalUrl, region, variables = {} } = choice
  if (externalUrl !== undefined) return [externalQueue({ url: externalUrl, region, variables })]
  return ordered(choice, containerQueue, [embeddedQueue()])
}

function ordered<A>(
  { mode = 'embedded', container = CONTAINER_DEFAULTS }: AdapterChoice,
  inContainer: (options: ContainerOptions) => A,
  here: readonly A[],
): A[] {
  if (mode === 'embedded') return [...here]
  if (mode === 'container') return [inContainer(container)]
  // A pull takes minutes, and nobody has asked for it.
  return [inContainer({ ...container, isOffline: true }), ...here]
}
