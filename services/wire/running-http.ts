import type { FastifyInstance } from 'fastify'
import { systemClock } from './clock.ts'
import type { InFlight } from './in-flight.ts'
import type { Running } from './runtime.ts'

export interface RunningHttpParts {
  readonly app: FastifyInstance
  readonly inFlight: InFlight
  /** How long `stop` lets work in flight go on. */
  readonly stopDeadlineMs: number
  /** Ends what is still in flight, telling its clients. */
  cut(): void
  /** Waits for nobody any longer; resolves when what was done so far is accounted for. */
  sever(): Promise<void>
  /** Gives back clients and timers once nothing is in flight. */
  release(): Promise<void>
  /** Drops sockets, clients and timers at once. */
  abandon(): void
}

/** How long work that was cut may take to account for itself. */
const LAST_WORDS_MS = 250

/** The life of an HTTP service whose `app` is ready. Deadlines are in real time, whatever the service's clock says. */
export function runningHttp({
  app,
  inFlight,
  stopDeadlineMs,
  cut,
  sever,
  release,
  abandon,
}: RunningHttpParts): Running {
  const { server } = app
  let stopped: Promise<void> | undefined

  async function drain(): Promise<void> {
    // Not listening is no error: behind an in-process balancer nobody ever asked it to.
    server.close(() => undefined)
    await inFlight.drain()
  }

  async function stop(): Promise<void> {
    const drained = drain()
    await within(stopDeadlineMs, drained)
    cut()
    await within(LAST_WORDS_MS, drained)
    await sever()
    server.closeAllConnections()
    await app.close()
    await release()
  }

  return {
    server,
    drain,
    stop: () => (stopped ??= stop()),
    kill() {
      stopped ??= Promise.resolve()
      server.close(() => undefined)
      server.closeAllConnections()
      abandon()
    },
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const deadline = new AbortController()
  const late = systemClock.sleep(ms, deadline.signal).catch(() => undefined)
  await Promise.race([work, late])
  deadline.abort()
}
