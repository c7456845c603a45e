import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../../../services/wire/make-folder.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { identify } from '../../core/processes.ts'
import { replaceFile } from '../../core/replace-file.ts'

/** What a state folder knows about the containers and the volume that belong to it. */
export interface Owner {
  /** Random: no other folder has it, on whatever machine, even where two share an engine. */
  readonly id: string
  /** Of what runs in the container, where it has one. */
  readonly password: string
  /** False until the first start has come to its end: data before that are of no use. */
  readonly isInitialised: boolean
}

const OWNER_FILE = 'container.json'

/** Labels of everything that we make in an engine. */
export const LABEL = {
  owner: 'aldea-local.owner',
  host: 'aldea-local.host',
  stateDir: 'aldea-local.state-dir',
  pid: 'aldea-local.pid',
  pidStart: 'aldea-local.pid-start',
  /** What a container was made from; one of another recipe is never attached to. */
  recipe: 'aldea-local.made-from',
} as const

export async function openOwner(stateDir: string): Promise<Owner> {
  await makeFolder(stateDir, { mode: 0o700 })
  const kept = await readOwner(stateDir)
  if (kept) return kept
  // Not injected ids: those may be predictable, and the password guards a superuser.
  const owner = { id: systemIds.hex(8), password: systemIds.hex(16), isInitialised: false }
  await writeOwner(stateDir, owner)
  return owner
}

export async function readOwner(stateDir: string): Promise<Owner | undefined> {
  const text = await readFile(join(stateDir, OWNER_FILE), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Owner)
}

export async function writeOwner(stateDir: string, owner: Owner): Promise<void> {
  await replaceFile(join(stateDir, OWNER_FILE), JSON.stringify(owner), 'kill')
}

/** Of everything that belongs to a state folder of this machine. */
export function ownerLabels({ id }: Owner, stateDir: string): Record<string, string> {
  return { [LABEL.owner]: id, [LABEL.host]: hostname(), [LABEL.stateDir]: stateDir }
}

/** Of what must not outlive this process. */
export async function processLabels(): Promise<Record<string, string>> {
  const self = await identify(process.pid)
  return { [LABEL.pid]: String(process.pid), [LABEL.pidStart]: self?.startTime ?? 'unknown' }
}

export function volumeName({ id }: Owner): string {
  return `aldea-local-${id}`
}
