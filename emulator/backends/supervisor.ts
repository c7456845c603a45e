import { systemClock } from '../../services/wire/clock.ts'
import type { Log } from '../../services/wire/log.ts'
import type { Child, ChildExit } from '../core/child-process.ts'
import { signalProcess } from '../core/processes.ts'
import type { BackendWatch } from './watch.ts'

/** What keeps a server running after its first start. */
export interface Supervised {
  readonly service: string
  readonly log: Log
  readonly watch?: BackendWatch | undefined
  /**
   * One more try on the same port over the same data; nothing runs when it resolves with undefined or rejects. Ends
   * early when `signal` aborts.
   */
  start(signal: AbortSignal): Promise<Child | undefined>
}

export interface Supervisor {
  /** Ends the server as kill -9 would; it is started again. Nothing happens while it is away. */
  kill(): void
  /** Ends it for good. Idempotent. */
  stop(): Promise<void>
}

/** A server that stayed up this long died by an accident of its own: it is started again without waiting. */
const STEADY_MS = 10_000
/** After the second death in a row; doubled for each further one, up to the most. */
const FIRST_WAIT_MS = 100
const MOST_WAIT_MS = 5_000

/**
 * Starts a server that ends by itself again, at once, and later and later when it keeps ending. In real time: another
 * program does not follow a clock that is turned by hand.
 */
export function supervise(supervised: Supervised, first: Child): Supervisor {
  const { service, log, watch } = supervised
  const stopping = new AbortController()
  let present: Child | undefined = first
  let startedAt = systemClock.now()
  let deaths = 0
  const ended = keep(first)

  async function keep(child: Child): Promise<void> {
    for (let current: Child | undefined = child; current; current = await startAgain()) {
      present = current
      const exit = await current.exited
      present = undefined
      if (stopping.signal.aborted) return
      const reason = `${service} ended with ${reasonOf(exit)}.`
      log.error({ ...exit }, `${service} ended by itself`)
      watch?.lost(reason)
    }
  }

  async function startAgain(): Promise<Child | undefined> {
    if (systemClock.now() - startedAt >= STEADY_MS) deaths = 0
    while (!stopping.signal.aborted) {
      deaths += 1
      await wait(waitBefore(deaths), stopping.signal)
      const child = await supervised.start(stopping.signal).catch((error: unknown) => {
        log.error({ err: error }, `${service} cannot be started again`)
        return undefined
      })
      if (!child) continue
      startedAt = systemClock.now()
      if (stopping.signal.aborted) {
        await child.stop()
        return undefined
      }
      log.info(`${service} runs again`)
      watch?.restored()
      return child
    }
    return undefined
  }

  return {
    kill() {
      if (present) signalProcess(present.pid, 'SIGKILL')
    },
    async stop() {
      stopping.abort()
      await present?.stop()
      await ended
    },
  }
}

/** In milliseconds. */
export function waitBefore(deaths: number): number {
  if (deaths <= 1) return 0
  return Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (deaths - 2))
}

export function reasonOf({ code, signal }: ChildExit): string {
  return signal ?? `exit code ${code}`
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await systemClock.sleep(ms, signal).catch(() => undefined)
}
