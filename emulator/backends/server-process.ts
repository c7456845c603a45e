import { systemClock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import { spawnChild, type Child, type ChildExit, type ChildOptions } from '../core/child-process.ts'
import { AldeaError } from '../core/errors.ts'
import { findPortHolder, freePort, portTaken } from '../core/ports.ts'
import { waitFor } from '../core/processes.ts'

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
}

export interface ServerProcess {
  readonly port: number
  stop(): Promise<void>
}

/** Starts a server and waits until it takes connections. Nothing runs when this throws. */
export async function startServerProcess(program: ServerProgram): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = program.port === 0 ? await freePort() : program.port
    const started = await startOnce(program, port)
    if ('child' in started) return watched(program, port, started)

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

async function startOnce(program: ServerProgram, port: number): Promise<Started> {
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
  const first = await Promise.race([ready, child.exited, timeout])
  timer.cancel()
  if (first === 'ready') return { child, lines }
  await child.stop()
  return { exit: first, lines }
}

function watched(
  { service, log }: ServerProgram,
  port: number,
  { child, lines }: Extract<Started, { child: Child }>,
): ServerProcess {
  let isStopping = false
  void child.exited.then((exit) => {
    if (!isStopping) log.error({ ...exit, lastLine: lines.at(-1) }, `${service} ended by itself`)
  })
  return {
    port,
    stop() {
      isStopping = true
      return child.stop()
    },
  }
}

function unhealthy(service: string, exit: ChildExit | 'timeout', lines: readonly string[]): AldeaError {
  const end =
    exit === 'timeout' ? `did not become ready in ${READY_TIMEOUT_MS / 1000} s` : `ended with ${reasonOf(exit)}`
  const last = lines.at(-1)
  return new AldeaError('ALDEA_BACKEND_UNHEALTHY', `${service} ${end}${last ? `, last line: ${last}` : ''}.`, {
    cause: new Error(lines.join('\n')),
  })
}

function reasonOf({ code, signal }: ChildExit): string {
  return signal ?? `exit code ${code}`
}
