import type { Clock } from '../wire/clock.ts'
import type { Log } from '../wire/log.ts'
import type { Ids } from '../wire/runtime.ts'
import { chanceOf } from './chance.ts'
import { type Connection, openConnection } from './connection.ts'
import type { Delivery } from './delivery.ts'
import { backOffMs } from './domain/back-off.ts'
import { BATCH_ROWS, type Forwarded, forwardBatch } from './outbox.ts'
import { createWakeUp } from './wake-up.ts'

/** Empties the outbox whenever it is woken. */
export interface Forwarder {
  wake(): void
  /** Takes no more; resolves when the batch in hand is dealt with. */
  drain(): Promise<void>
  /** Lets go of everything at once. */
  abandon(): void
}

export interface ForwarderParts {
  readonly delivery: Delivery
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** How long it sleeps at most. Rows that another reader left behind when it died are found then. */
  readonly sweepEveryMs: number
}

/** Shorter than the server lets a transaction sit idle. */
const DELIVERY_DEADLINE_MS = 10_000

export function startForwarder(url: string, parts: ForwarderParts): Forwarder {
  const { delivery, clock, ids, log, sweepEveryMs } = parts
  const draining = new AbortController()
  const dead = new AbortController()
  const wakeUp = createWakeUp(clock)
  let connection: Connection | undefined
  let failures = 0
  const running = run()

  async function run(): Promise<void> {
    while (!draining.signal.aborted) {
      wakeUp.reset()
      try {
        const { rows, organisations, failure } = await forward()
        if (organisations > 0) log.debug({ rows, organisations }, 'changes forwarded')
        if (failure !== undefined) await backOff(failure)
        else {
          if (failures > 0) log.info('forwarding again')
          failures = 0
          if (rows < BATCH_ROWS) await wakeUp.wait(sweepEveryMs)
        }
      } catch (error) {
        // Hanging up lets go of the rows.
        connection?.abandon()
        connection = undefined
        if (!dead.signal.aborted) await backOff(error)
      }
    }
    await connection?.close().catch(() => undefined)
  }

  async function forward(): Promise<Forwarded> {
    connection ??= await openConnection(url)
    // Ended while connecting.
    if (dead.signal.aborted) throw new Error('db-sync was ended')
    const deadline = new AbortController()
    const timer = clock.deadline(DELIVERY_DEADLINE_MS, () => deadline.abort())
    try {
      const signal = AbortSignal.any([deadline.signal, dead.signal])
      return await forwardBatch(connection.client, delivery, { clock, signal })
    } finally {
      timer.cancel()
    }
  }

  async function backOff(error: unknown): Promise<void> {
    if (failures === 0) log.warn({ err: error }, 'changes wait in the outbox')
    const waitMs = backOffMs(failures, chanceOf(ids))
    failures += 1
    await clock.sleep(waitMs, draining.signal).catch(() => undefined)
  }

  return {
    wake: () => wakeUp.wake(),
    drain() {
      draining.abort()
      wakeUp.wake()
      return running
    },
    abandon() {
      dead.abort()
      draining.abort()
      wakeUp.wake()
      connection?.abandon()
    },
  }
}
