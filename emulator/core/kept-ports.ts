import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isFree } from './ports.ts'
import { replaceFile } from './replace-file.ts'

/**
 * The ports of an environment's parts, the same from start to start, so that what other programs were told stays true.
 * One that somebody else has taken meanwhile is given up.
 */
export interface KeptPorts {
  /** Where a part is to listen: 0, for any free port, the first time. */
  wanted(part: string): Promise<number>
  /** Where it does. */
  note(part: string, address: string | undefined): void
  /** Keeps what was noted, for the next start. */
  save(): Promise<void>
}

export async function openKeptPorts(stateDir: string): Promise<KeptPorts> {
  const path = join(stateDir, 'ports.json')
  const kept = await readKept(path)
  const noted: Record<string, number> = {}
  return {
    async wanted(part) {
      const port = kept[part]
      return port !== undefined && (await isFree(port)) ? port : 0
    },
    note(part, address) {
      const port = address === undefined ? 0 : Number(new URL(address).port)
      if (port > 0) noted[part] = port
    },
    save: () => replaceFile(path, `${JSON.stringify({ ...kept, ...noted }, undefined, 2)}\n`),
  }
}

async function readKept(path: string): Promise<Readonly<Record<string, number>>> {
  const text = await readFile(path, 'utf8').catch(() => '{}')
  // Our own file, replaced as a whole.
  return JSON.parse(text) as Record<string, number>
}
