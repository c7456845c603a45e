import { lstat, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { makeFolder } from '../../../services/wire/make-folder.ts'
import { canReach, type ServerUser } from './server-user.ts'

/**
 * A folder that is made once and then only read, by any number of processes: `make` fills a folder beside it, which then
 * takes its name in one step. Who comes second uses what the first has made.
 */
export async function cacheEntry(path: string, make: (dir: string) => Promise<void>): Promise<string> {
  if (await isThere(path)) return path
  await makeFolder(dirname(path), { mode: 0o755 })
  const beside = await mkdtemp(`${path}${UNFINISHED}`)
  await removeAbandoned(path, beside)
  try {
    await make(beside)
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    if (!(await isThere(path))) throw error
  }
  return path
}

/** The cache, or where the server's user cannot reach it a folder of ours where anybody can. */
export async function reachableCache(cacheDir: string, user: ServerUser): Promise<string> {
  await makeFolder(cacheDir)
  if (await canReach(join(cacheDir, 'entry'), user)) return cacheDir
  const path = join(tmpdir(), 'aldea-local-cache')
  await makeFolder(path, { mode: 0o755 })
  const { uid } = await lstat(path)
  // The name can be guessed: programs that another user has put there must not be run.
  if (uid !== process.getuid?.()) throw new Error(`${path} belongs to another user.`)
  return path
}

const UNFINISHED = '.new-'
/** Making an entry takes a second; what is this much older was left by a process that was killed. */
const ABANDONED_MS = 600_000

async function removeAbandoned(path: string, fresh: string): Promise<void> {
  const folder = dirname(path)
  const { mtimeMs: nowMs } = await stat(fresh)
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${basename(path)}${UNFINISHED}`))
  for (const name of names) {
    const old = join(folder, name)
    const madeMs = await stat(old).then(
      ({ mtimeMs }) => mtimeMs,
      () => nowMs,
    )
    if (nowMs - madeMs > ABANDONED_MS) await rm(old, { recursive: true, force: true })
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
