import { embeddedPostgres } from './postgres/embedded.ts'
import { installedPostgres } from './postgres/installed.ts'
import type { PostgresAdapter } from './postgres/port.ts'
import { emulatedRedis } from './redis/emulated.ts'
import { installedRedis } from './redis/installed.ts'
import type { RedisAdapter } from './redis/port.ts'

/** The embedded one comes first: the same version on every machine. The machine's own serves where npm has none. */
export function postgresAdapters({ cacheDir }: { readonly cacheDir: string }): PostgresAdapter[] {
  return [embeddedPostgres({ cacheDir }), installedPostgres({ cacheDir })]
}

/**
 * A real server comes first: it keeps data and evicts. The emulated one, last, turns nobody away. A server that the user
 * names is the only candidate: quietly running another one would not be what was asked for.
 */
export function redisAdapters({ redisBinary }: { readonly redisBinary: string | undefined }): RedisAdapter[] {
  return redisBinary === undefined ? [installedRedis(), emulatedRedis] : [installedRedis({ binary: redisBinary })]
}
