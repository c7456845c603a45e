import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Available, Declined } from '../probe.ts'
import { startServerProcess } from '../server-process.ts'
import type { RedisAdapter } from './port.ts'

export interface InstalledRedisOptions {
  /** The user's own choice; absent, `redis-server` and `valkey-server` are looked for on PATH. */
  readonly binary?: string
}

/** A Redis or Valkey server of this machine. */
export function installedRedis({ binary }: InstalledRedisOptions = {}): RedisAdapter {
  const names = binary === undefined ? ['redis-server', 'valkey-server'] : [binary]
  let finding: Promise<Found | Declined> | undefined
  const find = (): Promise<Found | Declined> => (finding ??= findServer(names))
  return {
    name: 'installed',
    async probe() {
      const found = await find()
      return 'reason' in found ? found : { available: true, what: found.what }
    },
    async start({ stateDir, port, log, watch }) {
      const found = await find()
      if ('reason' in found) throw new Error(found.reason)
      const dataDir = join(stateDir, 'data')
      await mkdir(dataDir, { recursive: true, mode: 0o700 })
      const running = await startServerProcess({
        service: 'redis',
        port,
        child: (onPort) => ({
          command: found.command,
          args: ['--port', String(onPort), '--bind', '127.0.0.1', '--dir', dataDir, ...SETTINGS],
          stopSignals: ['SIGTERM'],
          recordDir: stateDir,
          dataDir,
        }),
        ready: /ready to accept connections/i,
        taken: /Address already in use|Failed listening on port/,
        log,
        watch,
      })
      const url = `redis://127.0.0.1:${running.port}`
      const detail = `127.0.0.1:${running.port}  ${found.what} installed`
      return { url, detail, isReal: true, kill: () => running.kill(), stop: () => running.stop() }
    },
  }
}

/** Every write goes to the append-only file, so that what was acknowledged survives a kill. */
const SETTINGS = ['--appendonly', 'yes', '--save', '', '--daemonize', 'no', '--protected-mode', 'yes']

/** GETDEL, XAUTOCLAIM and the EX option of GETEX came with it. */
const OLDEST = { major: 6, minor: 2 }

interface Found extends Omit<Available, 'available'> {
  readonly command: string
}

async function findServer(names: readonly string[]): Promise<Found | Declined> {
  const reasons: string[] = []
  for (const command of names) {
    const found = await askVersion(command)
    if (typeof found === 'object') return found
    reasons.push(found)
  }
  return { available: false, reason: `${reasons.join(', ')}.` }
}

/** Runs it: whether a name is on PATH, and whether what is there works, is one question. */
async function askVersion(command: string): Promise<Found | string> {
  try {
    const { stdout } = await promisify(execFile)(command, ['--version'])
    // `Redis server v=7.0.15 sha=…`, `Valkey server v=8.1.1 sha=…`
    const [, product = '', version = '', major, minor] = /(\w+) server v=((\d+)\.(\d+)\S*)/.exec(stdout) ?? []
    if (!product) return `${command} is not a Redis or Valkey server`
    const isOld = Number(major) < OLDEST.major || (Number(major) === OLDEST.major && Number(minor) < OLDEST.minor)
    if (isOld) return `${command} is ${version}, ${OLDEST.major}.${OLDEST.minor} is needed`
    return { command, what: `${product} ${version}` }
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return isMissing ? `${command} was not found` : `${command} does not run`
  }
}
