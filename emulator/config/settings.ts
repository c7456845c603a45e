import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** What the command reads from its surroundings, once, before anything else. Flags override it. */
export interface Settings {
  /** Holds one folder for each named environment. `ALDEA_STATE_DIR`, default `.aldea` in the working folder. */
  readonly baseDir: string
  /** What every environment shares. `ALDEA_CACHE_DIR`, else `aldea-local` in the user's cache folder. */
  readonly cacheDir: string
  /** `ALDEA_REDIS_BINARY`: a Redis server to use instead of the one on PATH. */
  readonly redisBinary: string | undefined
  /** `ALDEA_URL`: where client commands go instead of the running environment. */
  readonly url: string | undefined
  /** `ALDEA_KEY`: the API key of client commands. */
  readonly key: string | undefined
  /** False when `NO_COLOR` is set. */
  readonly color: boolean
}

export function loadSettings(env: Readonly<Record<string, string | undefined>>, workingDir: string): Settings {
  const caches = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return Object.freeze({
    baseDir: resolve(workingDir, env['ALDEA_STATE_DIR'] ?? '.aldea'),
    cacheDir: resolve(workingDir, env['ALDEA_CACHE_DIR'] ?? join(caches, 'aldea-local')),
    redisBinary: env['ALDEA_REDIS_BINARY'],
    url: env['ALDEA_URL'],
    key: env['ALDEA_KEY'],
    color: (env['NO_COLOR'] ?? '') === '',
  })
}
