import { execFile } from 'node:child_process'
import { access, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { OLDEST_MAJOR, parseVersion, type PostgresBinaries } from './binaries.ts'

const run = promisify(execFile)

/** Where packages keep one folder for each major version, named by it. Servers are rarely on PATH. */
const PLACES = [
  { parent: '/usr/lib/postgresql', name: /^(\d+)$/ },
  { parent: '/usr', name: /^pgsql-(\d+)$/ },
  { parent: '/opt/homebrew/opt', name: /^postgresql@(\d+)$/ },
  { parent: '/usr/local/opt', name: /^postgresql@(\d+)$/ },
] as const

/** The newest PostgreSQL that a package manager has put on this machine, else the one on PATH. */
export async function findInstalled(): Promise<PostgresBinaries | undefined> {
  const folders = (await Promise.all(PLACES.map(foldersIn))).flat()
  const newestFirst = folders.filter(({ major }) => major >= OLDEST_MAJOR).sort((a, b) => b.major - a.major)
  for (const { path } of newestFirst) {
    const found = await askVersion(path)
    if (found) return found
  }
  const onPath = await folderOnPath()
  const found = onPath === undefined ? undefined : await askVersion(onPath)
  return found && found.major >= OLDEST_MAJOR ? found : undefined
}

async function foldersIn({ parent, name }: (typeof PLACES)[number]): Promise<{ path: string; major: number }[]> {
  const entries = await readdir(parent).catch(() => [])
  return entries.flatMap((entry) => {
    const major = name.exec(entry)?.[1]
    return major === undefined ? [] : [{ path: join(parent, entry, 'bin'), major: Number(major) }]
  })
}

async function folderOnPath(): Promise<string | undefined> {
  const found = await run('/bin/sh', ['-c', 'command -v postgres']).catch(() => undefined)
  return found && dirname(found.stdout.trim())
}

/** Both programs are asked: a client's package may bring one without the other. */
async function askVersion(bin: string): Promise<PostgresBinaries | undefined> {
  const program = (name: string): string => join(bin, name)
  try {
    const [{ stdout }] = await Promise.all([run(program('postgres'), ['--version']), access(program('initdb'))])
    const version = parseVersion(stdout)
    return version && { ...version, program }
  } catch {
    return undefined
  }
}
