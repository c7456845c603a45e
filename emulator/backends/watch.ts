import type { Clock } from '../../services/wire/clock.ts'
import type { EventStream } from '../core/events.ts'

/** Who hears of a backend that ended by itself, and of its return. */
export interface BackendWatch {
  /** @param reason a sentence for the user: `postgres ended with SIGKILL.` */
  lost(reason: string): void
  /** It takes connections again, at the same address. */
  restored(): void
}

/** Tells the readers of the environment. */
export function watchBackend(
  backend: string,
  { events, clock }: { readonly events: EventStream; readonly clock: Clock },
): BackendWatch {
  let lostAt: number | undefined
  return {
    lost(reason) {
      lostAt ??= clock.now()
      events.emit({ type: 'backend.lost', at: clock.now(), backend, reason })
    },
    restored() {
      const at = clock.now()
      events.emit({ type: 'backend.restored', at, backend, awayMs: at - (lostAt ?? at) })
      lostAt = undefined
    },
  }
}
