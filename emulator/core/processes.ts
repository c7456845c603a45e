import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { systemClock } from '../../services/wire/clock.ts'

const run = promisify(execFile)

/** One process and no other: a pid alone is given to another process sooner or later. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; only good for comparing. */
  readonly startTime: string
}

/** The identity of a living process. A zombie is dead: it holds nothing, and stays for ever where nobody reaps it. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform === 'linux') return identifyByProc(pid)
  if (process.platform === 'win32') return canSignal(pid) ? { pid, startTime: 'unknown' } : undefined
  return identifyByPs(pid)
}

export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  return (await identify(pid))?.startTime === startTime
}

/** Field 3 of /proc/PID/stat is the state, field 22 the start in clock ticks since boot; the name before may hold blanks. */
async function identifyByProc(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields?.[0]
  const startTime = fields?.[19]
  if (state === 'Z' || state === 'X' || startTime === undefined) return undefined
  return { pid, startTime }
}

/** Where there is no /proc. */
export async function identifyByPs(pid: number): Promise<ProcessIdentity | undefined> {
  const output = await run('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)]).catch(() => undefined)
  const [state, ...startTime] = output?.stdout.trim().split(/\s+/) ?? []
  if (!state || state.startsWith('Z')) return undefined
  return { pid, startTime: startTime.join(' ') }
}

/** What a process was started with, arguments separated by blanks; undefined when it is gone or hidden from us. */
export async function commandOf(pid: number): Promise<string | undefined> {
  const command =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').then((text) => text.replaceAll('\0', ' '), ignore)
      : await run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout, ignore)
  return command?.trim() || undefined
}

/** Sends a signal; a process that is already gone is no failure. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

const POLL_MS = 10

/**
 * True once the process is gone, false when it still lives after `timeoutMs`. For processes that are not our children:
 * those tell us.
 */
export async function isGoneWithin(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; await isAlive(identity); waitedMs += POLL_MS) {
    if (waitedMs >= timeoutMs) return false
    await waitFor(POLL_MS)
  }
  return true
}

/**
 * Waits in real time, as other programs do. A timer of the clock does not keep us alive, and when a start begins with
 * this there may be nothing else that does; an open channel is.
 */
export async function waitFor(ms: number): Promise<void> {
  const { port1 } = new MessageChannel()
  port1.ref()
  await systemClock.sleep(ms)
  port1.close()
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function ignore(): undefined {}
