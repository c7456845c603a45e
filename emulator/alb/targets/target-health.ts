import type { HealthCheckConfig, TargetHealth, UnhealthyReason } from '../model.ts'

export type CheckResult =
  | { readonly passed: true }
  | { readonly passed: false; readonly reason: UnhealthyReason; readonly description: string }

/** Of a target that nobody checks. */
export type Unchecked = { readonly passed: false; readonly reason: 'Target.NotInUse'; readonly description: string }

/** A target's health, as one node sees it, with the run of equal results that may change it. */
export interface HealthTrack {
  readonly health: TargetHealth
  readonly passes: number
  readonly failures: number
}

export function initialTrack(nowMs: number): HealthTrack {
  return {
    health: {
      state: 'initial',
      since: nowMs,
      reason: 'Elb.InitialHealthChecking',
      description: 'Initial health checks in progress',
    },
    passes: 0,
    failures: 0,
  }
}

export function drainingHealth(nowMs: number): TargetHealth {
  return {
    state: 'draining',
    since: nowMs,
    reason: 'Target.DeregistrationInProgress',
    description: 'Target deregistration is in progress',
  }
}

const NOT_IN_USE = {
  reason: 'Target.NotInUse',
  description: 'Target is in an Availability Zone that is not enabled for the load balancer',
} as const

/** Of a target in a zone that has no node of the balancer. */
export function unusedHealth(nowMs: number): TargetHealth {
  return { state: 'unused', since: nowMs, ...NOT_IN_USE }
}

export const outOfUse: Unchecked = { passed: false, ...NOT_IN_USE }

/**
 * The health of a registered target after one more check (aws-behaviour §1.5). The first pass of a new target is
 * enough; the healthy threshold counts for those that recover.
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

/**
 * What `DescribeTargetHealth` says of what several nodes see: healthy when all agree. AWS does not document how its
 * nodes' views become one; those that wait for a healthy target are never told too early this way.
 */
export function mergeHealth(views: readonly TargetHealth[]): TargetHealth {
  const inOrder = views.toSorted((one, other) => one.since - other.since)
  const ill = inOrder.find(({ state }) => state === 'unhealthy') ?? inOrder.find(({ state }) => state === 'initial')
  const health = ill ?? inOrder.at(-1)
  if (health) return health
  throw new Error('No node sees the target.')
}
