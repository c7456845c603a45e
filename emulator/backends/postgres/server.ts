import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { commandOf, identify, isGoneWithin, signalProcess } from '../../core/processes.ts'
import { startServerProcess } from '../server-process.ts'
import type { PostgresBinaries } from './binaries.ts'
import { openDataDir } from './data-dir.ts'
import type { PostgresBackend, PostgresContext } from './port.ts'
import { asUser, type ServerUser } from './server-user.ts'
import { SERVER_ENV, SUPERUSER } from './template.ts'

export interface PostgresServer extends PostgresContext {
  readonly adapter: 'embedded' | 'installed'
  readonly binaries: PostgresBinaries
  readonly user: ServerUser
  readonly cacheDir: string
  /** Extensions that must be loaded at start and are known to be there. */
  readonly preload: readonly string[]
}

/** Opens or makes the data folder and runs PostgreSQL on it. */
export async function startPostgresServer(server: PostgresServer): Promise<PostgresBackend> {
  const { adapter, binaries, user, stateDir, database, log, watch } = server
  const prepare = (): Promise<void> => clearStalePid(join(stateDir, 'data'))
  await prepare()
  const { path, password } = await openDataDir(server)
  const running = await startServerProcess({
    service: 'postgres',
    port: server.port,
    child: (onPort) => ({
      command: binaries.program('postgres'),
      args: ['-D', path, '-p', String(onPort), ...settings(server)],
      ...asUser(user),
      env: SERVER_ENV,
      // SIGINT is the fast stop, which ends sessions; SIGTERM would wait for them. SIGQUIT leaves recovery to the next start.
      stopSignals: ['SIGINT', 'SIGQUIT'],
      recordDir: stateDir,
      dataDir: path,
    }),
    ready: /database system is ready to accept connections/,
    taken: /could not bind|could not create any TCP\/IP sockets/,
    busy: /pre-existing shared memory block/,
    log,
    watch,
    prepare,
  })
  return {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${running.port}/${encodeURIComponent(database)}`,
    detail: `127.0.0.1:${running.port}  PostgreSQL ${binaries.version} ${adapter}`,
    kill: () => running.kill(),
    stop: () => running.stop(),
  }
}

function settings({ binaries, preload }: PostgresServer): string[] {
  const all: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // A crash of the machine may cost data, a crash of the process does not: that needs synchronous_commit, left on.
    fsync: 'off',
    full_page_writes: 'off',
    wal_level: 'logical',
    max_connections: '200',
    // When a row was written, for whoever asks how long it has waited.
    track_commit_timestamp: 'on',
    shared_preload_libraries: preload.join(','),
  }
  // Reading without the worker processes of 18: three processes less, and nothing here is limited by the disk.
  if (binaries.major >= 18) all['io_method'] = 'sync'
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

const ORPHAN_STOP_MS = 5_000

/**
 * `postmaster.pid` of a server that was killed. PostgreSQL copes with a dead pid, but gives up when the pid is alive as
 * any other program: then we remove the file. A server on this folder that nobody recorded is ended first; the folder
 * is locked, so it is a left-over.
 */
async function clearStalePid(dataDir: string): Promise<void> {
  const path = join(dataDir, 'postmaster.pid')
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const pid = Number(text?.split('\n')[0])
  const identity = pid > 0 ? await identify(pid) : undefined
  if (!identity) return

  const command = await commandOf(pid)
  if (command?.includes(`-D ${dataDir} `)) {
    signalProcess(pid, 'SIGINT')
    if (!(await isGoneWithin(identity, ORPHAN_STOP_MS))) signalProcess(pid, 'SIGKILL')
    await isGoneWithin(identity, ORPHAN_STOP_MS)
    return
  }
  await rm(path, { force: true })
}
