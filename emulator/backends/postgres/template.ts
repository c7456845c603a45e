import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemIds } from '../../../services/wire/ids.ts'
import { spawnChild } from '../../core/child-process.ts'
import type { PostgresBinaries } from './binaries.ts'
import { cacheEntry, reachableCache } from './cache.ts'
import { asUser, giveTo, type ServerUser } from './server-user.ts'

export const SUPERUSER = 'aldea'

/** Neither the user's language nor time zone may leak into the data or into the lines that we read. */
export const SERVER_ENV: Readonly<Record<string, string>> = { LC_ALL: 'C', TZ: 'UTC' }

export interface TemplateContext {
  readonly binaries: PostgresBinaries
  readonly adapter: string
  readonly user: ServerUser
  readonly cacheDir: string
}

/** Raise it when the flags of initdb change. */
const TEMPLATE_REVISION = 1

/**
 * A data folder as initdb leaves it, made once for each PostgreSQL: initdb takes half a second, a copy of its result a
 * tenth of that.
 */
export async function templateDir(context: TemplateContext): Promise<string> {
  const { adapter, binaries, user, cacheDir } = context
  const { platform, arch } = process
  const key = `postgres-template-${adapter}-${binaries.version}-${platform}-${arch}-${TEMPLATE_REVISION}`
  const entry = await cacheEntry(join(await reachableCache(cacheDir, user), key), (dir) => runInitdb(dir, context))
  return join(entry, 'data')
}

async function runInitdb(dir: string, { binaries, user }: TemplateContext): Promise<void> {
  const passwordFile = join(dir, 'password')
  // Nobody ever uses this one: each copy gets its own before it first listens.
  await writeFile(passwordFile, systemIds.hex(16), { mode: 0o600 })
  await giveTo(user, dir)
  const dataDir = join(dir, 'data')
  const lines: string[] = []
  const child = await spawnChild({
    service: 'initdb',
    command: binaries.program('initdb'),
    args: ['-D', dataDir, `--pwfile=${passwordFile}`, ...INITDB_FLAGS, ...localeFlags(binaries.major)],
    ...asUser(user),
    env: SERVER_ENV,
    stopSignals: ['SIGTERM'],
    // Its own children work through what is in their pipes when it is killed; the shell ends them as well.
    tether: process.platform === 'win32' ? 'none' : 'shim',
    recordDir: dir,
    dataDir,
    port: 0,
    onLine: (line) => lines.push(line),
  })
  const { code } = await child.exited
  if (code !== 0) throw new Error(`initdb failed: ${lines.join('\n')}`)
  await rm(passwordFile)
}

const INITDB_FLAGS = [
  `--username=${SUPERUSER}`,
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--no-sync',
  '--no-instructions',
  // MB, the smallest log segment that PostgreSQL has: 16 times less to copy.
  '--wal-segsize=1',
]

/** The same order and the same letter cases on every machine, as far as the version can. */
function localeFlags(major: number): string[] {
  if (major >= 17) return ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  return process.platform === 'linux' ? ['--locale=C', '--lc-ctype=C.UTF-8'] : ['--locale=C']
}
