import { systemClock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import { spawnChild, type Child, type ChildExit, type ChildOptions } from '../core/child-process.ts'
import { AldeaError } from '../core/errors.ts'
import { findPortHolder, freePort, portTaken } from '../core/ports.ts'
import { waitFor } from '../core/processes.ts'
import { reasonOf, supervise, type Supervisor } from './supervisor.ts'
import type { BackendWatch } from './watch.ts'

/** A server program, and how to read what it prints. */
export interface ServerProgram {
  readonly service: string
  /** 0 takes any free port. */
  readonly port: number
  child(port: number): Omit<ChildOptions, 'service' | 'port' | 'onLine'>
  /** Matches the line that says it takes connections. */
  readonly ready: RegExp
  /** Matches the line of an exit because another program has the port. */
  readonly taken: RegExp
  /** Matches the line of an exit because the server before it is not quite gone. */
  readonly busy?: RegExp
  readonly log: Log
  /** Hears when it ends by itself, and when it is back. */
  readonly watch?: BackendWatch | undefined
  /** Clears what a killed one left behind; runs before it is started again. */
  prepare?(): Promise<void>
}

export interface ServerProcess extends Supervisor {
  readonly port: number
}

/**
 * Starts a server, waits until it takes connections, and from then on starts it again on the same port whenever it ends
 * by itself. Nothing runs when this throws.
 */
export async function startServerProcess(program: ServerProgram): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = program.port === 0 ? await freePort() : program.port
    const started = await startOnce(program, port)
    if ('child' in started) return { port, ...supervise({ ...program, start: againOn(program, port) }, started.child) }

    const { lines, exit } = started
    const matches = (pattern: RegExp | undefined): boolean => lines.some((line) => pattern?.test(line))
    if (matches(program.taken) && program.port !== 0) throw portTaken(port, await findPortHolder(port))
    const isPassing = matches(program.taken) || matches(program.busy)
    if (!isPassing || attempt === MOST_ATTEMPTS) throw unhealthy(program.service, exit, lines)
    if (matches(program.busy)) await waitFor(BUSY_WAIT_MS)
  }
}

/** A free port is free until somebody else is quicker; five times in a row is something else. */
const MOST_ATTEMPTS = 5
/** Backends of a killed PostgreSQL notice within milliseconds. */
const BUSY_WAIT_MS = 100
/** Replaying the log after a kill is the slowest start there is. */
const READY_TIMEOUT_MS = 30_000
/** Lines kept for the message of a failed start. */
const KEPT_LINES = 20

type Started =
  | { readonly child: Child; readonly lines: readonly string[] }
  | { readonly exit: ChildExit | 'timeout'; readonly lines: readonly string[] }

function againOn(program: ServerProgram, port: number): (signal: AbortSignal) => Promise<Child | undefined> {
  return async (signal) => {
    await program.prepare?.()
    const started = await startOnce(program, port, signal)
    if ('child' in started) return started.child
    if (signal.aborted) return undefined
    throw unhealthy(program.service, started.exit, started.lines)
  }
}

async function startOnce(program: ServerProgram, port: number, signal?: AbortSignal): Promise<Started> {
  const { service, log } = program
  const lines: string[] = []
  let announceReady = (): void => {}
  const ready = new Promise<'ready'>((resolve) => (announceReady = () => resolve('ready')))
  const child = await spawnChild({
    ...program.child(port),
    service,
    port,
    onLine(line) {
      log.debug(line)
      lines.push(line)
      if (lines.length > KEPT_LINES) lines.shift()
      if (program.ready.test(line)) announceReady()
    },
  })

  let giveUp = (): void => {}
  const timeout = new Promise<'timeout'>((resolve) => (giveUp = () => resolve('timeout')))
  const timer = systemClock.after(READY_TIMEOUT_MS, giveUp)
  signal?.addEventListener('abort', giveUp, { once: true })
  if (signal?.aborted) giveUp()
  const first = await Promise.race([ready, child.exited, timeout])
  timer.cancel()
  signal?.removeEventListener('abort', giveUp)
  if (first === 'ready') return { child, lines }
  await child.stop()
  return { exit: first, lines }
}

function unhealthy(service: string, exit: ChildExit | 'timeout', lines: readonly string[]): AldeaError {
  const end =
    exit === 'timeout' ? `did not become ready in ${READY_TIMEOUT_MS / 1000} s` : `ended with ${reasonOf(exit)}`
  const last = lines.at(-1)
  return new AldeaError('ALDEA_BACKEND_UNHEALTHY', `${service} ${end}${last ? `, last line: ${last}` : ''}.`, {
    cause: new Error(lines.join('\n')),
  })
}
