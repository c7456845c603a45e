import { rename, rm, writeFile } from 'node:fs/promises'
import { systemIds } from '../../services/wire/ids.ts'

/**
 * What a file must survive. Against the loss of power the disk is waited for, and file systems may then write out all
 * that is pending: right after the copy of a database up to 0.3 s. A file that means something only while a process
 * lives need not survive that.
 */
export type Survives = 'power loss' | 'kill'

/** Replaces a file so that a reader, or a later start, finds the old text or the new one and nothing between. */
export async function replaceFile(path: string, text: string, survives: Survives = 'power loss'): Promise<void> {
  const beside = nameBeside(path)
  try {
    await writeFile(beside, text, { mode: OWNER_ONLY, flush: survives === 'power loss' })
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

const OWNER_ONLY = 0o600

/** A name in the same folder that nobody else uses. */
export function nameBeside(path: string): string {
  return `${path}.${systemIds.hex(6)}.new`
}
