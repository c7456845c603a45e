import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { identify, isAlive, type ProcessIdentity } from './processes.ts'
import { nameBeside, replaceFile } from './replace-file.ts'

export interface LockFile {
  release(): Promise<void>
}

/**
 * Locks a folder for this process, or returns the living process that has it. The lock of a process that is gone, or
 * whose pid now names another process, is taken over.
 *
 * Locks are numbered and only the highest one counts. It is never deleted, only followed by the next number, which one
 * process alone can create: so any number of processes may see the same stale lock, and one of them gets in. (Deleting
 * a stale lock to make it anew cannot be done safely: what is deleted may already be the lock of somebody quicker.)
 */
export async function acquireLock(folder: string): Promise<LockFile | ProcessIdentity> {
  const own = await identify(process.pid)
  const beside = nameBeside(join(folder, 'lock'))
  await writeFile(beside, `${JSON.stringify(own)}\n`, { mode: 0o600 })
  try {
    for (;;) {
      const newest = (await lockNumbers(folder)).at(-1) ?? 0
      const holder = await readLock(pathOf(folder, newest))
      if (holder && (await isAlive(holder))) return holder

      const number = newest + 1
      // A link appears whole or not at all, and fails when the name exists: nobody ever reads half a lock.
      if (!(await linked(beside, pathOf(folder, number)))) continue
      const numbers = await lockNumbers(folder)
      // Not the highest: the number was in use before, while we looked away, and has been cleared since.
      const cleared = numbers.at(-1) === number ? numbers.slice(0, -1) : [number]
      await Promise.all(cleared.map((each) => rm(pathOf(folder, each), { force: true })))
      if (!cleared.includes(number)) return { release: () => replaceFile(pathOf(folder, number), RELEASED, 'kill') }
    }
  } finally {
    await rm(beside, { force: true })
  }
}

/** The living process that has locked a folder. */
export async function lockHolder(folder: string): Promise<ProcessIdentity | undefined> {
  const newest = (await lockNumbers(folder)).at(-1)
  const holder = newest === undefined ? undefined : await readLock(pathOf(folder, newest))
  return holder && (await isAlive(holder)) ? holder : undefined
}

/** Names nobody. */
const RELEASED = '{}\n'
const NAME = /^lock\.(\d+)$/

function pathOf(folder: string, number: number): string {
  return join(folder, `lock.${number}`)
}

/** Ascending. */
async function lockNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

async function readLock(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const holder: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isIdentity(holder) ? holder : undefined
  } catch {
    return undefined
  }
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

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false
  return 'pid' in value && Number.isInteger(value.pid) && 'startTime' in value && typeof value.startTime === 'string'
}
