import { copyOrganisations, type Stores } from '../account/copy-organisations.ts'
import type { Clock, Timer } from '../wire/clock.ts'
import type { Log } from '../wire/log.ts'

/** Lets a change work at once: what PostgreSQL has just been told is copied to Redis. */
export interface WriteThrough {
  /** Resolves when the organisation is copied, or kept to be copied as soon as that works. Never rejects. */
  copy(organisation: string): Promise<void>
  /** Stops trying. */
  stop(): void
}

const RETRY_MS = 1_000

export function createWriteThrough(stores: Stores, { clock, log }: { clock: Clock; log: Log }): WriteThrough {
  const kept = new Set<string>()
  let retry: Timer | undefined
  let isStopped = false

  async function copy(organisation: string): Promise<void> {
    try {
      await copyOrganisations(stores, [organisation])
      kept.delete(organisation)
    } catch (error) {
      if (!kept.has(organisation)) log.warn({ err: error, organisation }, 'organisation kept until redis takes it')
      kept.add(organisation)
      if (!isStopped) retry ??= clock.after(RETRY_MS, () => void copyKept())
    }
  }

  async function copyKept(): Promise<void> {
    retry = undefined
    for (const organisation of kept) {
      if (isStopped) return
      await copy(organisation)
    }
  }

  return {
    copy,
    stop() {
      isStopped = true
      retry?.cancel()
    },
  }
}
