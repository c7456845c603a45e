import type { Redis } from 'ioredis'
import type { Pool } from 'pg'
import type { Clock } from '../../wire/clock.ts'
import type { Log } from '../../wire/log.ts'
import { insertUsage } from '../database/usage.ts'
import { parseUsageEntry, type RecordedUsage } from '../domain/usage-entry.ts'
import { acknowledge, claim, createGroup, type Entry, readNew } from './stream.ts'

export interface LedgerParts {
  /** A connection of its own: reading blocks it. */
  readonly redis: Redis
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  /** Names this task among those that share the work. */
  readonly consumer: string
}

/** Carries usage events from the stream into the ledger, each exactly once, until it is stopped. */
export interface LedgerConsumer {
  /** Lets the batch in hand finish. What is not acknowledged then is picked up by the next consumer. */
  stop(): Promise<void>
  abandon(): void
}

const RETRY_MS = 1_000
/** How often entries are looked for that another task took and never finished. */
const CLAIM_INTERVAL_MS = 30_000
/** A batch takes milliseconds; whoever holds one this long has lost it. */
const LOST_AFTER_MS = 5_000

export function startLedgerConsumer({ redis, pool, clock, log, consumer }: LedgerParts): LedgerConsumer {
  const life = new AbortController()
  let isWaiting = false
  const running = run()

  async function run(): Promise<void> {
    while (!life.signal.aborted) {
      try {
        await createGroup(redis)
        await consume()
      } catch (error) {
        if (life.signal.aborted) return
        if (!isWaiting) log.warn({ err: error }, 'ledger waits')
        isWaiting = true
        await clock.sleep(RETRY_MS, life.signal).catch(() => undefined)
      }
    }
  }

  async function consume(): Promise<void> {
    // Whatever was taken and not acknowledged before: by this task, or by one that is gone.
    await finishPending(0)
    if (isWaiting) log.info('ledger goes on')
    isWaiting = false
    let claimAt = clock.now() + CLAIM_INTERVAL_MS
    while (!life.signal.aborted) {
      await write(await readNew(redis, consumer))
      if (clock.now() < claimAt) continue
      await finishPending(LOST_AFTER_MS)
      claimAt = clock.now() + CLAIM_INTERVAL_MS
    }
  }

  async function finishPending(idleMs: number): Promise<void> {
    let cursor: string | undefined = '0-0'
    while (cursor !== undefined && !life.signal.aborted) {
      const claimed = await claim(redis, { consumer, idleMs, cursor })
      await write(claimed.entries)
      cursor = claimed.next
    }
  }

  async function write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return
    const readable = entries.flatMap(({ id, fields }) => {
      const event = parse({ id, fields })
      return event ? [{ id, event }] : []
    })
    const events = readable.map(({ event }) => event)
    if (events.length > 0) await insertUsage(pool, events, clock.now())
    // Only now: had the ledger failed, they would come again. What cannot be read stays for whoever looks after it.
    await acknowledge(redis, entries, readable)
    log.debug({ events: events.length }, 'usage recorded')
  }

  function parse(entry: Entry): RecordedUsage | undefined {
    try {
      return parseUsageEntry(entry.fields)
    } catch (error) {
      log.error({ err: error, entry }, 'usage entry cannot be read')
      return undefined
    }
  }

  return {
    async stop() {
      life.abort()
      // Wakes the reader.
      redis.disconnect()
      await running
    },
    abandon() {
      life.abort()
      redis.disconnect()
    },
  }
}
