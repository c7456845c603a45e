import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { identify, isAlive, type ProcessIdentity } from './processes.ts'
import { nameBeside } from './replace-file.ts'

export interface LockFile {
  /** Removes the lock if it is still ours. */
  release(): Promise<void>
}

/**
 * Takes the lock at `path` for this process, or returns its living holder. The lock of a process that is gone, or whose
 * pid now names another process, is taken over.
 */
export async function acquireLock(path: string): Promise<LockFile | ProcessIdentity> {
  const own = await ownIdentity()
  const text = `${JSON.stringify(own)}\n`
  const beside = nameBeside(path)
  await writeFile(beside, text, { mode: 0o600 })

  try {
    // A link appears whole or not at all, and fails when the name exists: nobody ever reads half a lock.
    while (!(await linked(beside, path))) {
      const holder = await lockHolder(path)
      if (holder && (await isAlive(holder))) return holder
      await removeStale(path, holder)
    }
  } finally {
    await rm(beside, { force: true })
  }

  return {
    async release() {
      if ((await readFile(path, 'utf8').catch(() => '')) === text) await rm(path, { force: true })
    },
  }
}

/** Who the lock names, alive or not; undefined when there is no lock or it cannot be read. */
export async function lockHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isIdentity(holder) ? holder : undefined
  } catch {
    return undefined
  }
}

/**
 * Moves the lock aside before deleting it. If another starter has taken it over since it was read, what was moved is
 * that starter's lock, which goes back.
 */
async function removeStale(path: string, stale: ProcessIdentity | undefined): Promise<void> {
  const aside = nameBeside(path)
  try {
    await rename(path, aside)
  } catch (error) {
    if (isNotFound(error)) return
    throw error
  }
  const moved = await lockHolder(aside)
  const isOther = moved !== undefined && (moved.pid !== stale?.pid || moved.startTime !== stale.startTime)
  if (isOther) await linked(aside, path)
  await rm(aside, { force: true })
}

async function linked(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

async function ownIdentity(): Promise<ProcessIdentity> {
  const own = await identify(process.pid)
  if (!own) throw new Error('This process cannot be found in the list of processes.')
  return own
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false
  return 'pid' in value && Number.isInteger(value.pid) && 'startTime' in value && typeof value.startTime === 'string'
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
