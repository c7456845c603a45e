import type { HealthCheckConfig, TargetHealth, UnhealthyReason } from '../model.ts'

export type CheckResult =
  | { readonly passed: true }
  | { readonly passed: false; readonly reason: UnhealthyReason; readonly description: string }

/** A target's health with the run of equal results that may change it. */
export interface HealthTrack {
  readonly health: TargetHealth
  readonly passes: number
  readonly failures: number
}

export function initialTrack(nowMs: number): HealthTrack {
  return {
    health: { state: 'initial', since: nowMs, reason: 'Elb.InitialHealthChecking' },
    passes: 0,
    failures: 0,
  }
}

/**
 * The health of a target that is not draining after one more check (aws-behaviour §1.5). The first pass of a new target is enough; the healthy
 * threshold counts for those that recover.
 */
export function nextTrack(
  track: HealthTrack,
  result: CheckResult,
  { config, nowMs }: { config: HealthCheckConfig; nowMs: number },
): HealthTrack {
  const { health } = track
  if (result.passed) {
    const passes = track.passes + 1
    const isEnough = health.state === 'initial' || passes >= config.healthyThreshold
    if (health.state === 'healthy' || !isEnough) return { health, passes, failures: 0 }
    return { health: { state: 'healthy', since: nowMs }, passes, failures: 0 }
  }

  const failures = track.failures + 1
  const isStill = health.state === 'unhealthy'
  if (!isStill && failures < config.unhealthyThreshold) return { health, passes: 0, failures }
  const { reason, description } = result
  const since = isStill ? health.since : nowMs
  return { health: { state: 'unhealthy', since, reason, description }, passes: 0, failures }
}
