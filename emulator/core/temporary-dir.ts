import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from './processes.ts'
import { reapLeftovers } from './reaper.ts'

/** A folder for the state of environments that nobody starts again. */
export interface TemporaryDir {
  readonly path: string
  remove(): Promise<void>
}

/** `aldea-local-4711-Xa2b3C`: whose it is, and what makes it unique. */
const NAME = /^aldea-local-(\d+)-/
/** A database that was killed may still be writing its last file. */
const RM_RETRIES = 10

/** Makes one, and removes those that processes have left behind which were killed: a database takes 40 MB. */
export async function openTemporaryDir(): Promise<TemporaryDir> {
  const names = await readdir(tmpdir()).catch(() => [])
  await Promise.all(names.map(removeIfLeft))
  const path = await mkdtemp(join(tmpdir(), `aldea-local-${process.pid}-`))
  return { path, remove: () => remove(path) }
}

async function removeIfLeft(name: string): Promise<void> {
  const pid = NAME.exec(name)?.[1]
  if (pid === undefined || (await identify(Number(pid)))) return
  const path = join(tmpdir(), name)
  const uid = await lstat(path).then(
    (stats) => stats.uid,
    () => undefined,
  )
  // What another user has written there must not tell us which processes to end.
  if (uid === undefined || uid !== (process.getuid?.() ?? uid)) return
  const environments = await readdir(path).catch(() => [])
  // Another process may be at it already.
  await Promise.allSettled(environments.map((each) => reapLeftovers(join(path, each))))
  await remove(path).catch(() => undefined)
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: RM_RETRIES })
}
