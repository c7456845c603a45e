import { readFile, rm, writeFile } from 'node:fs/promises'
import { DownloadError } from './errors.ts'

/**
 * Takes a file that stands for something only one process may write; what is in it is that process's id. Resolves with
 * what gives it back. One whose process is gone is taken over.
 *
 * @throws DownloadError while another process, or another call in this one, holds it
 */
export async function lock(path: string, what: string): Promise<() => Promise<void>> {
  if (!(await create(path))) {
    const holder = Number(await readFile(path, 'utf8').catch(() => ''))
    if (isAlive(holder)) throw new DownloadError(`${what} is being fetched by process ${holder} already, says ${path}.`)
    await rm(path, { force: true })
    if (!(await create(path))) throw new DownloadError(`${what} is being fetched by another process already.`)
  }
  return () => rm(path, { force: true })
}

async function create(path: string): Promise<boolean> {
  return writeFile(path, String(process.pid), { flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}

/** Signal 0 only asks. Who may not be asked is there too. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
