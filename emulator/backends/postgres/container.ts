import { AldeaError, isAldeaError, messageOf } from '../../core/errors.ts'
import { probeImage } from '../container/image-probe.ts'
import { CONTAINER_DEFAULTS, type ContainerOptions } from '../container/options.ts'
import { containerUnhealthy, startContainer, type RunningContainer } from '../container/start-container.ts'
import { ensureDatabase, urlWith } from './ensure-database.ts'
import type { PostgresAdapter, PostgresContext } from './port.ts'
import { SUPERUSER } from './template.ts'

/** PostgreSQL from its public image, 15 to 18. */
export function containerPostgres(options: ContainerOptions = CONTAINER_DEFAULTS): PostgresAdapter {
  const image = options.images.postgres
  return {
    name: 'container',
    probe: () => probeImage(image, options),
    async start(context) {
      const { database } = context
      const running = await startServer(context, options)
      const url = urlWith(`postgres://${SUPERUSER}:${running.password}@127.0.0.1:${running.port}`, database)
      try {
        const version = await ensureDatabase(url, database)
        await running.initialised()
        const detail = `127.0.0.1:${running.port}  PostgreSQL ${version} container`
        return { url, detail, stop: () => running.stop() }
      } catch (error) {
        await running.remove()
        throw containerUnhealthy('postgres', running.lines(), error)
      }
    },
  }
}

async function startServer(
  { stateDir, port, log }: PostgresContext,
  options: ContainerOptions,
): Promise<RunningContainer> {
  const image = options.images.postgres
  const program = {
    service: 'postgres',
    image,
    command: ['postgres', ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    environment: ({ password }: { readonly password: string }) => ({
      POSTGRES_USER: SUPERUSER,
      POSTGRES_PASSWORD: password,
      POSTGRES_INITDB_ARGS: INITDB_FLAGS,
      PGDATA: `${DATA_FOLDER}/data`,
    }),
    containerPort: POSTGRES_PORT,
    port,
    dataFolder: DATA_FOLDER,
    // The server that makes the database listens on no address; "ready to accept connections" it says as well.
    ready: /listening on IPv4 address/,
    stateDir,
    log,
  }
  try {
    return await startContainer(program, options)
  } catch (error) {
    const said = isAldeaError(error) ? messageOf(error.cause) : ''
    const mismatch = /The data directory was initialized by PostgreSQL version .*/.exec(said)?.[0]
    if (mismatch === undefined) throw error
    throw new AldeaError('ALDEA_STATE_MISMATCH', `The data kept for ${image} are of another version. ${mismatch}`, {
      hint: `Choose the image of that version, or move ${stateDir} away to begin with an empty database.`,
      cause: error,
    })
  }
}

const POSTGRES_PORT = 5432
/** Not the image's own: that changed with 18, which refuses a volume at the old place. */
const DATA_FOLDER = '/aldea-local'

/** The same order and letter cases on every machine, whichever C library the image has. */
const INITDB_FLAGS = '--auth-host=scram-sha-256 --encoding=UTF8 --locale=C --lc-ctype=C.UTF-8 --wal-segsize=1 --no-sync'

/** As the embedded one has them: what was committed survives a kill of the process, not the loss of power. */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'logical',
  max_connections: '200',
  track_commit_timestamp: 'on',
  shared_preload_libraries: 'pg_stat_statements',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
}
