import type { Redis } from 'ioredis'
import { redisKeys } from '../../account/redis-keys.ts'

/** An entry of the usage stream. `fields` holds names and values in turn. */
export interface Entry {
  readonly id: string
  readonly fields: readonly string[]
}

/** All tasks of the backend share it, so each entry goes to one of them. */
const GROUP = 'ledger'

const BATCH = 100
/** Shorter than the connection's time limit for a command. */
const BLOCK_MS = 1_000

/** Makes the group, from the first entry on, unless it is there. */
export async function createGroup(redis: Redis): Promise<void> {
  await redis.xgroup('CREATE', redisKeys.usageEvents, GROUP, '0', 'MKSTREAM').catch((error: unknown) => {
    if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error
  })
}

/** Entries that nobody has taken yet; waits a while for one. */
export async function readNew(redis: Redis, consumer: string): Promise<Entry[]> {
  const streams = await redis.xreadgroup(
    'GROUP',
    GROUP,
    consumer,
    'COUNT',
    BATCH,
    'BLOCK',
    BLOCK_MS,
    'STREAMS',
    redisKeys.usageEvents,
    '>',
  )
  // The one stream that was asked for, as [name, [[id, fields], …]].
  const [stream] = (streams ?? []) as [string, [string, string[]][]][]
  return (stream?.[1] ?? []).map(toEntry)
}

/** Takes over entries that somebody took at least `idleMs` ago and did not acknowledge, from `cursor` on. */
export async function claim(
  redis: Redis,
  { consumer, idleMs, cursor }: { readonly consumer: string; readonly idleMs: number; readonly cursor: string },
): Promise<{ readonly entries: Entry[]; readonly next: string | undefined }> {
  const answer = await redis.xautoclaim(redisKeys.usageEvents, GROUP, consumer, idleMs, cursor, 'COUNT', BATCH)
  const [next, entries] = answer as [string, ([string, string[] | null] | null)[]]
  return {
    // One that was deleted from the stream has no fields any more.
    entries: entries.flatMap((entry) => (entry?.[1] ? [toEntry([entry[0], entry[1]])] : [])),
    next: next === '0-0' ? undefined : next,
  }
}

function toEntry([id, fields]: readonly [string, string[]]): Entry {
  return { id, fields }
}

/**
 * Nobody gets `entries` again, and `recorded` leave the stream. Both happen in one step: nobody would ever come back for
 * an entry that was acknowledged only, and the stream would grow with it.
 */
export async function acknowledge(
  redis: Redis,
  entries: readonly Entry[],
  recorded: readonly Pick<Entry, 'id'>[],
): Promise<void> {
  const step = redis.multi().xack(redisKeys.usageEvents, GROUP, ...entries.map(({ id }) => id))
  if (recorded.length > 0) step.xdel(redisKeys.usageEvents, ...recorded.map(({ id }) => id))
  for (const [error] of (await step.exec()) ?? []) if (error) throw error
}
