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
  /** `DOCKER_HOST`: the only engine that is asked for containers. */
  readonly dockerHost: string | undefined
  /** `ALDEA_REDIS_IMAGE`, `ALDEA_POSTGRES_IMAGE`, `ALDEA_QUEUE_IMAGE`: container images instead of the usual ones. */
  readonly images: Readonly<Record<'redis' | 'postgres' | 'queue', string | undefined>>
  /** `AWS_ACCESS_KEY_ID` and its companions, for queues elsewhere (`--sqs-url`). */
  readonly awsCredentials: Readonly<Record<string, string | undefined>>
  /** `ALDEA_FORWARD_KEY`, `ALDEA_FORWARD_MODEL`: for the server behind `--engine forward:URL`. */
  readonly forwardKey: string | undefined
  readonly forwardModel: string | undefined
  /** `ALDEA_URL`: where client commands go instead of the running environment. */
  readonly url: string | undefined
  /** `ALDEA_KEY`: the API key of client commands. */
  readonly key: string | undefined
  /** False when `NO_COLOR` is set. */
  readonly color: boolean
}

const AWS_CREDENTIALS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']

export function loadSettings(
  env: Readonly<Record<string, string | undefined>> = process.env,
  workingDir: string = process.cwd(),
): Settings {
  const caches = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return Object.freeze({
    baseDir: resolve(workingDir, env['ALDEA_STATE_DIR'] ?? '.aldea'),
    cacheDir: resolve(workingDir, env['ALDEA_CACHE_DIR'] ?? join(caches, 'aldea-local')),
    redisBinary: env['ALDEA_REDIS_BINARY'],
    dockerHost: env['DOCKER_HOST'],
    images: {
      redis: env['ALDEA_REDIS_IMAGE'],
      postgres: env['ALDEA_POSTGRES_IMAGE'],
      queue: env['ALDEA_QUEUE_IMAGE'],
    },
    awsCredentials: Object.fromEntries(AWS_CREDENTIALS.map((name) => [name, env[name]])),
    forwardKey: env['ALDEA_FORWARD_KEY'],
    forwardModel: env['ALDEA_FORWARD_MODEL'],
    url: env['ALDEA_URL'],
    key: env['ALDEA_KEY'],
    color: (env['NO_COLOR'] ?? '') === '',
  })
}
