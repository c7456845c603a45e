import type { Clock } from '../wire/clock.ts'
import type { Chunk } from './audio-source.ts'

/**
 * Hands on each chunk when a microphone would have recorded it: not before its own length has passed since the one
 * before. The schedule counts from the first chunk, so a late timer is made up for and the pace does not drift.
 */
export async function* paced(
  chunks: AsyncIterable<Chunk>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): AsyncGenerator<Chunk> {
  let dueAt: number | undefined
  for await (const chunk of chunks) {
    dueAt = (dueAt ?? clock.now()) + chunk.seconds * 1000
    const waitMs = dueAt - clock.now()
    if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined)
    if (signal.aborted) return
    yield chunk
  }
}
