import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, isGoneWithin, signalProcess, type ProcessIdentity } from './processes.ts'

/** Written beside a child's data before the child is ready, removed when it has ended. */
export const CHILD_RECORD = 'child.json'

export interface ChildRecord extends ProcessIdentity {
  readonly service: string
  readonly exe: string
  readonly dataDir: string
  readonly port: number
  readonly stopSignals: readonly NodeJS.Signals[]
}

/** What SIGKILL gets before we give up: an end by force takes milliseconds, unless the disk hangs. */
const LAST_WAIT_MS = 5_000
const SIGNAL_WAIT_MS = 2_000

/**
 * Ends the children that an earlier start left running in `stateDir` or a folder directly below. Only a process with
 * both the pid and the start time of the record is touched. Call with the folder locked.
 */
export async function reapLeftovers(stateDir: string): Promise<void> {
  const below = await readdir(stateDir, { withFileTypes: true })
  const folders = below.filter((entry) => entry.isDirectory()).map((entry) => join(stateDir, entry.name))
  await Promise.all([stateDir, ...folders].map(reapFolder))
}

async function reapFolder(folder: string): Promise<void> {
  const path = join(folder, CHILD_RECORD)
  const record = await readRecord(path)
  if (record) await reap(record)
  await rm(path, { force: true })
}

async function reap(record: ChildRecord): Promise<void> {
  for (const signal of record.stopSignals) {
    if (!(await isAlive(record))) return
    signalProcess(record.pid, signal)
    if (await isGoneWithin(record, SIGNAL_WAIT_MS)) return
  }
  signalProcess(record.pid, 'SIGKILL')
  if (await isGoneWithin(record, LAST_WAIT_MS)) return
  throw new Error(`${record.service} of an earlier start (pid ${record.pid}) does not end.`)
}

async function readRecord(path: string): Promise<ChildRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is ChildRecord {
  if (typeof value !== 'object' || value === null) return false
  if (!('pid' in value && Number.isInteger(value.pid))) return false
  return (
    'startTime' in value &&
    typeof value.startTime === 'string' &&
    'stopSignals' in value &&
    Array.isArray(value.stopSignals)
  )
}
