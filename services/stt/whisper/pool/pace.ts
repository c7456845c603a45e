/** How often live streams should ask for interims, by how long these have to wait for a worker. */
export interface Pace {
  /** From the audio of one interim to the audio of the next. */
  readonly intervalMs: number
  /** An interim was asked for at `intervalMs` and a worker took it up after `waitedMs`. */
  observe(interim: { readonly intervalMs: number; readonly waitedMs: number; readonly nowMs: number }): void
}

const SHORTEST_INTERVAL_MS = 500
const LONGEST_INTERVAL_MS = 2000

// What interims may wait, for audio that is the newest when their turn comes: workers are seldom idle then, and finals go first
// (at 24 streams words' lag p95 1.7 s, and 2.2 s with 400 ms; finals as soon).
const ACCEPTED_WAIT_MS = 900
// Load that comes is met within a second; that it has gone is believed after some quiet.
const RISE_MS = 1000
const FALL_MS = 3000

/**
 * With all workers busy an interim comes round once in its interval and its wait, whatever the interval: a longer one
 * only shortens the wait. So the interval becomes that time less the wait that is accepted, quickly when it has to
 * grow, slowly when it may shrink.
 */
export function createPace(): Pace {
  let currentMs = SHORTEST_INTERVAL_MS
  let observedMs: number | undefined

  return {
    get intervalMs() {
      return currentMs
    },
    observe({ intervalMs, waitedMs, nowMs }) {
      const wantedMs = Math.max(SHORTEST_INTERVAL_MS, intervalMs + waitedMs - ACCEPTED_WAIT_MS)
      const elapsedMs = Math.max(0, nowMs - (observedMs ?? nowMs))
      observedMs = nowMs
      const share = 1 - Math.exp(-elapsedMs / (wantedMs > currentMs ? RISE_MS : FALL_MS))
      currentMs = Math.min(LONGEST_INTERVAL_MS, currentMs + share * (wantedMs - currentMs))
    },
  }
}
