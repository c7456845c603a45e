import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { systemClock } from '../../services/wire/clock.ts'
import { identify, signalProcess } from './processes.ts'
import { CHILD_RECORD, type ChildRecord } from './reaper.ts'
import { replaceFile } from './replace-file.ts'
import { chooseTether, tetherCommand, type Tether } from './tether.ts'

export interface ChildOptions {
  /** For messages and for the record: `postgres`. */
  readonly service: string
  readonly command: string
  readonly args: readonly string[]
  /** Put before everything else, to run the child as another user. */
  readonly wrapper?: readonly string[]
  readonly uid?: number
  readonly gid?: number
  /** Absent: our own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Tried in this order, each with a while to work, before SIGKILL. The first one is a clean stop. */
  readonly stopSignals: readonly ['SIGINT' | 'SIGTERM', ...NodeJS.Signals[]]
  /** Where the record for the reaper of the next start goes. One folder, one child at a time. */
  readonly recordDir: string
  readonly dataDir: string
  readonly port: number
  /** Gets every line of standard output and standard error. */
  onLine(line: string): void
  readonly tether?: Tether
}

export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running program that cannot outlive us. */
export interface Child {
  /** Of the program itself, whatever stands between. */
  readonly pid: number
  /** Resolves when it has ended and all its output was read. */
  readonly exited: Promise<ChildExit>
  /** Ends it cleanly, else by force. Idempotent. */
  stop(): Promise<void>
}

/** How long a clean stop may take, and each harder one after it. */
const CLEAN_STOP_MS = 5_000
const HARD_STOP_MS = 1_000

/** Starts a program on a tether and records it. Nothing runs when this throws. */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const { wrapper = [], command, args, stopSignals } = options
  const tethered = tetherCommand(options.tether ?? (await chooseTether()), [command, ...args], stopSignals[0])
  const [first = '', ...rest] = [...wrapper, tethered.command, ...tethered.args]
  const child = spawn(first, rest, {
    // Data folders are given by absolute path; a child that sits in none keeps none from being removed.
    cwd: '/',
    env: options.env,
    stdio: tethered.stdio,
    uid: options.uid,
    gid: options.gid,
    // A Ctrl-C in the terminal is for us: we stop our services before their databases.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  await once(child, 'spawn')

  const closed = new Promise<ChildExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface({ input: output }).on('line', (line) => options.onLine(line))
  }
  const pid = (tethered.tellsPid ? await toldPid(child) : undefined) ?? child.pid ?? 0
  const record = join(options.recordDir, CHILD_RECORD)
  const recorded = writeRecord(record, pid, options)
  const exited = closed.then(async (exit) => {
    // A program may end while its record is being written; one that stays would mislead.
    await recorded.catch(() => {})
    await rm(record, { force: true })
    return exit
  })

  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= stopChild(pid, exited, stopSignals))
  try {
    await recorded
  } catch (error) {
    await stop()
    throw error
  }
  return { pid, exited, stop }
}

async function writeRecord(path: string, pid: number, options: ChildOptions): Promise<void> {
  const identity = await identify(pid)
  if (!identity) return
  const { service, command: exe, dataDir, port, stopSignals } = options
  const record: ChildRecord = { service, ...identity, exe, dataDir, port, stopSignals }
  await replaceFile(path, `${JSON.stringify(record)}\n`, 'kill')
}

async function stopChild(pid: number, exited: Promise<unknown>, signals: readonly NodeJS.Signals[]): Promise<void> {
  let hasExited = false
  const end = exited.then(() => (hasExited = true))
  for (const [index, signal] of signals.entries()) {
    // Once the end was seen the pid may name another process.
    if (hasExited) return
    signalProcess(pid, signal)
    await firstOf(end, index === 0 ? CLEAN_STOP_MS : HARD_STOP_MS)
  }
  if (!hasExited) signalProcess(pid, 'SIGKILL')
  await end
}

/** Real time: another program does not follow a clock that is turned by hand. */
async function firstOf(end: Promise<unknown>, timeoutMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = systemClock.after(timeoutMs, resolve)
    void end.then(() => {
      timer.cancel()
      resolve()
    })
  })
}

/** Undefined when the shell ended without a word. */
async function toldPid(child: ChildProcess): Promise<number | undefined> {
  let told = ''
  for await (const chunk of (child.stdio[3] as Readable).setEncoding('utf8')) told += String(chunk)
  return told === '' ? undefined : Number(told)
}
