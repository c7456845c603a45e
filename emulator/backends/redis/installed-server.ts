import { join } from 'node:path'
import { makeFolder } from '../../../services/wire/make-folder.ts'
import type { Log } from '../../../services/wire/log.ts'
import { startServerProcess, type ServerProcess } from '../server-process.ts'
import type { BackendWatch } from '../watch.ts'
import { tell } from './tell.ts'

export interface InstalledServerOptions {
  readonly command: string
  /** Of its data and its record. */
  readonly folder: string
  /** 0 takes any free port. */
  readonly port: number
  /** Port of the primary that it follows; it is one itself when absent. */
  readonly replicaOf?: number
  readonly log: Log
  readonly watch?: BackendWatch | undefined
}

export interface InstalledServer extends ServerProcess {
  /** A replica follows nobody from now on, and takes writes. */
  becomePrimary(): Promise<void>
}

/** Runs redis-server; a replica is ready when it has everything, on disk too. */
export async function startInstalledServer(options: InstalledServerOptions): Promise<InstalledServer> {
  const { command, folder, port, log, watch } = options
  const dataDir = join(folder, 'data')
  await makeFolder(dataDir, { mode: 0o700 })
  let primaryPort = options.replicaOf
  const running = await startServerProcess({
    service: 'redis',
    port,
    child: (onPort) => ({
      command,
      args: ['--port', String(onPort), '--bind', '127.0.0.1', '--dir', dataDir, ...SETTINGS, ...following(primaryPort)],
      stopSignals: ['SIGTERM'],
      recordDir: folder,
      dataDir,
    }),
    get ready() {
      return primaryPort === undefined ? READY : IN_STEP
    },
    taken: /Address already in use|Failed listening on port/,
    log,
    watch,
  })
  return {
    ...running,
    async becomePrimary() {
      await tell(`redis://127.0.0.1:${running.port}`, ['REPLICAOF', 'NO', 'ONE'])
      primaryPort = undefined
    },
  }
}

const READY = /ready to accept connections/i
/** After the copy has arrived the append-only file is written anew; until then a kill would lose it. */
const IN_STEP = /Background AOF rewrite finished successfully/

/**
 * Every write goes to the append-only file, so that what was acknowledged survives a kill; when it reaches the disk is left to
 * the system, because by default Redis keeps writes back for up to 2 s while it has the file written to disk. A replica is
 * sent its copy at once: by default a primary waits 5 s for others.
 */
const SETTINGS = `--appendonly yes --appendfsync no --repl-diskless-sync-delay 0 --daemonize no --protected-mode yes`
  .split(' ')
  .concat('--save', '')

function following(primaryPort: number | undefined): string[] {
  return primaryPort === undefined ? [] : ['--replicaof', `127.0.0.1 ${primaryPort}`]
}
