import { toStartError } from '../account/postgres.ts'
import type { Running, Runtime, Variables } from '../wire/runtime.ts'
import { parseConfig } from './config.ts'
import { openListener } from './listener.ts'

const CHANNEL = 'organisation_changes'
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 5_000

/** Hears from PostgreSQL which organisations change, and logs each. Listens when it has started, and again after a loss. */
export async function start(variables: Variables, { clock, log }: Runtime): Promise<Running> {
  const { DATABASE_URL: url } = parseConfig(variables)
  const life = new AbortController()
  const onPayload = (organisation: string): void => log.info({ organisation }, 'organisation changed')
  const open = (): ReturnType<typeof openListener> => openListener(url, { channel: CHANNEL, onPayload })

  let listener = await open().catch((error: unknown) => {
    throw toStartError(url, error)
  })
  const running = keepListening()

  async function keepListening(): Promise<void> {
    while (!life.signal.aborted) {
      const error = await listener.lost
      if (life.signal.aborted) return
      log.warn({ err: error }, 'postgres connection lost')
      await reopen()
    }
  }

  /** Returns when it listens again, or is to end. */
  async function reopen(): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, MAX_RETRY_MS)) {
      try {
        await clock.sleep(waitMs, life.signal)
        listener = await open()
        break
      } catch (error) {
        if (life.signal.aborted) return
        log.debug({ err: error, waitMs }, 'postgres still away')
      }
    }
    // Ended while connecting.
    if (life.signal.aborted) return listener.abandon()
    log.info('listening again')
  }

  async function stop(): Promise<void> {
    life.abort()
    await listener.close()
    await running
  }

  let stopped: Promise<void> | undefined
  return {
    drain: () => Promise.resolve(),
    stop: () => (stopped ??= stop()),
    kill() {
      stopped ??= Promise.resolve()
      life.abort()
      listener.abandon()
    },
  }
}
