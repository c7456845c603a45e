import { open, rename, rm } from 'node:fs/promises'
import { systemIds } from '../../services/wire/ids.ts'

/** Replaces a file so that a reader, or a start after a crash, finds the old text or the new one and nothing between. */
export async function replaceFile(path: string, text: string, mode = 0o600): Promise<void> {
  const beside = nameBeside(path)
  try {
    const file = await open(beside, 'w', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

/** A name in the same folder that nobody else uses. */
export function nameBeside(path: string): string {
  return `${path}.${systemIds.hex(6)}.new`
}
