import type { Redis } from 'ioredis'
import type { Clock, Timer } from '../wire/clock.ts'
import type { Log } from '../wire/log.ts'
import { redisKeys } from './redis-keys.ts'

/** What one file or one live stream has used. */
export interface UsageEvent {
  /** The request's id. The ledger counts each id once, so writing an event twice does no harm. */
  readonly id: string
  readonly organisation: string
  readonly keyHash: string
  readonly kind: 'file' | 'stream'
  /** Of the route that served it, such as `/v1/listen`. */
  readonly path: string
  /** Seconds of audio. */
  readonly seconds: number
  /** When it ended, in epoch milliseconds. */
  readonly at: number
}

/** Writes usage events to Redis, in order. What cannot be written is kept and written later. */
export interface Meter {
  /** Resolves when the event is written, or kept for later. Never rejects. */
  record(event: UsageEvent): Promise<void>
  /** Events not written yet. */
  readonly kept: number
  /** Tries once more to write what is kept, and logs what is lost. */
  stop(): Promise<void>
  /** Stops trying. */
  abandon(): void
}

const RETRY_MS = 1_000

export function createMeter({ redis, clock, log }: { redis: Redis; clock: Clock; log: Log }): Meter {
  const kept: UsageEvent[] = []
  let writing: Promise<void> | undefined
  let retry: Timer | undefined
  let isStopped = false

  function write(): Promise<void> {
    if (kept.length === 0 || isStopped) return Promise.resolve()
    return (writing ??= writeKept())
  }

  async function writeKept(): Promise<void> {
    try {
      for (let event = kept[0]; event; event = kept[0]) {
        await redis.xadd(redisKeys.usageEvents, '*', ...toFields(event))
        kept.shift()
      }
    } catch (error) {
      if (!retry) log.warn({ err: error, kept: kept.length }, 'usage kept until redis takes it')
      retry?.cancel()
      retry = clock.after(RETRY_MS, writeAgain)
      return
    } finally {
      writing = undefined
    }
    retry?.cancel()
    retry = undefined
  }

  function writeAgain(): void {
    void write()
  }

  function abandon(): void {
    isStopped = true
    retry?.cancel()
    redis.off('ready', writeAgain)
  }

  redis.on('ready', writeAgain)

  return {
    record(event) {
      kept.push(event)
      return write()
    },
    get kept() {
      return kept.length
    },
    async stop() {
      await write()
      abandon()
      for (const event of kept) log.error({ usage: event }, 'usage lost')
    },
    abandon,
  }
}

function toFields(event: UsageEvent): string[] {
  return [
    ['organisation', event.organisation],
    ['key', event.keyHash],
    ['kind', event.kind],
    ['path', event.path],
    ['seconds', String(Math.round(event.seconds * 1_000) / 1_000)],
    ['id', event.id],
    ['at', new Date(event.at).toISOString()],
  ].flat()
}
