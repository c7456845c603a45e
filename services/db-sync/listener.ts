import { backOffMs } from './domain/back-off.ts'
import type { Clock, Timer } from '../wire/clock.ts'
import type { Log } from '../wire/log.ts'
import type { Ids } from '../wire/runtime.ts'
import { type Connection, openConnection } from './connection.ts'
import { chanceOf } from './chance.ts'

const CHANNEL = 'organisation_changes'
const ANSWER_WITHIN_MS = 2_000

export interface Listener {
  stop(): Promise<void>
  kill(): void
}

export interface ListenerParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Something has changed, or may have while nobody was listening. */
  onWake(): void
  /** How often a silent connection is asked whether it is still there. */
  readonly checkEveryMs: number
}

/**
 * Listens for changes on a connection of its own, and again after each loss. The outbox is read after LISTEN, not before:
 * otherwise a change between the two would be heard by nobody.
 * @throws when the first connection fails.
 */
export async function startListener(
  url: string,
  { clock, ids, log, onWake, checkEveryMs }: ListenerParts,
): Promise<Listener> {
  const life = new AbortController()
  let connection = await open()
  const running = run()

  async function open(): Promise<Connection> {
    const opened = await openConnection(url)
    opened.client.on('notification', onWake)
    try {
      await opened.client.query(`LISTEN ${CHANNEL}`)
    } catch (error) {
      opened.abandon()
      throw error
    }
    return opened
  }

  async function run(): Promise<void> {
    while (!life.signal.aborted) {
      onWake()
      const error = await untilLost()
      if (life.signal.aborted) return
      log.warn({ err: error }, 'postgres connection lost')
      await reopen()
    }
  }

  /** A connection through something that swallows packets ends only because nobody answers. */
  async function untilLost(): Promise<Error | undefined> {
    const { client, lost, abandon } = connection
    const rest = (): Timer => clock.after(checkEveryMs, check)
    const check = (): void => {
      timer = clock.deadline(ANSWER_WITHIN_MS, abandon)
      const next = (): void => {
        timer.cancel()
        timer = rest()
      }
      client.query('SELECT').then(next, abandon)
    }
    let timer = rest()
    const error = await lost
    timer.cancel()
    return error
  }

  /** Returns when it listens again, or is to end. */
  async function reopen(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await clock.sleep(backOffMs(attempt, chanceOf(ids)), life.signal)
        connection = await open()
        break
      } catch (error) {
        if (life.signal.aborted) return
        log.debug({ err: error, attempt }, 'postgres still away')
      }
    }
    // Ended while connecting.
    if (life.signal.aborted) return connection.abandon()
    log.info('listening again')
  }

  return {
    async stop() {
      life.abort()
      await connection.close()
      await running
    },
    kill() {
      life.abort()
      connection.abandon()
    },
  }
}
