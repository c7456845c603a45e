import type { Timer } from '../../../services/wire/clock.ts'
import type { Target } from '../model.ts'
import type { Zones } from '../zones.ts'
import { type CheckDeps, checkTarget, timeOutCheck } from './health-check.ts'
import type { CheckResult } from './target-health.ts'

/** The checks of one target for as long as it is registered: every node makes its own. */
export interface HealthChecks {
  /** When each node has made its first one: the first failure, else a pass. */
  readonly first: Promise<CheckResult>
  stop(): void
}

export interface HealthChecksDeps extends Omit<CheckDeps, 'stopped'> {
  readonly zones: Zones
  onResult(node: number, result: CheckResult): void
}

/** Begins at once, as AWS does, not after an interval. */
export function startHealthChecks(target: Target, { zones, onResult, ...deps }: HealthChecksDeps): HealthChecks {
  const { clock, config } = deps
  const timers: Timer[] = []
  const life = new AbortController()
  const checkDeps: CheckDeps = { ...deps, stopped: life.signal }

  /** The next check is due an interval after this one began, however long this one takes. */
  async function check(node: number): Promise<CheckResult> {
    timers[node] = clock.after(config.intervalSeconds * 1000, () => void check(node))
    // A lost node checks nothing; whoever waits for its view learns what the others see.
    if (zones.isLost(zones.names[node] ?? '')) return { passed: true }
    const result = await (zones.isLost(target.zone) ? timeOutCheck(checkDeps) : checkTarget(target, checkDeps))
    if (!life.signal.aborted) onResult(node, result)
    return result
  }

  return {
    first: Promise.all(zones.names.map((_, node) => check(node))).then(
      (results) => results.find(({ passed }) => !passed) ?? { passed: true },
    ),
    stop() {
      life.abort()
      for (const timer of timers) timer.cancel()
    },
  }
}
