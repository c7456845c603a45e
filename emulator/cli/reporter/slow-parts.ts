import type { Clock } from '../../../services/wire/clock.ts'
import type { EnvironmentEvent } from '../../core/events.ts'

/** A step that takes longer says its name. */
const SLOW_MS = 3_000

/** Writes one line for each part that is still starting after a while. */
export function watchSlowParts(
  clock: Clock,
  line: (text: string) => void,
): { event(event: EnvironmentEvent): void; end(): void } {
  const timers = new Map<string, { cancel(): void }>()
  const forget = (part: string): void => {
    timers.get(part)?.cancel()
    timers.delete(part)
  }
  return {
    event(event) {
      if (event.type === 'part.starting') {
        // Once more when what it is doing has changed.
        forget(event.part)
        const doing = event.activity === undefined ? '' : `, ${event.activity}`
        timers.set(
          event.part,
          clock.after(SLOW_MS, () => line(`  still starting ${event.part}${doing} (${SLOW_MS / 1000} s)`)),
        )
      }
      if (event.type === 'part.ready' || event.type === 'part.failed') forget(event.part)
    },
    end: () => [...timers.keys()].forEach(forget),
  }
}
