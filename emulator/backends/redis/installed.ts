import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Available, Declined } from '../probe.ts'
import type { RedisAdapter } from './port.ts'
import { startSuccession } from './succession.ts'

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
      const running = await startSuccession(stateDir, { command: found.command, port, log, watch })
      return {
        get url() {
          return `redis://127.0.0.1:${running.port}`
        },
        detail: `127.0.0.1:${running.port}  ${found.what} installed`,
        isReal: true,
        startSuccessor: () => running.startSuccessor(),
        kill: () => running.kill(),
        stop: () => running.stop(),
      }
    },
  }
}

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
