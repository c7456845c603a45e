import type { HealthCheckConfig, LoadBalancerAttributes, Stickiness, TargetGroupConfig } from '../model.ts'
import { parseMatcher } from '../targets/matcher.ts'
import { type Problem, invalid, outOfModel, outsideOf } from './problems.ts'

interface Bounds {
  readonly min: number
  readonly max: number
}

/** aws-behaviour §1.1 and, of health checks, §1.5. */
const IDLE_TIMEOUT_SECONDS: Bounds = { min: 1, max: 4000 }
const CLIENT_KEEP_ALIVE_SECONDS: Bounds = { min: 60, max: 604_800 }
const DEREGISTRATION_DELAY_SECONDS: Bounds = { min: 0, max: 3600 }
const SLOW_START_SECONDS: Bounds = { min: 30, max: 900 }
const STICKINESS_SECONDS: Bounds = { min: 1, max: 604_800 }
const PERCENTAGE: Bounds = { min: 1, max: 100 }
const INTERVAL_SECONDS: Bounds = { min: 5, max: 300 }
const TIMEOUT_SECONDS: Bounds = { min: 2, max: 120 }
const THRESHOLD: Bounds = { min: 2, max: 10 }
const PORT: Bounds = { min: 1, max: 65_535 }
const MAX_PATH_LENGTH = 1024

/** Which an application may not use for its own stickiness. */
const OWN_COOKIES = ['AWSALB', 'AWSALBAPP', 'AWSALBTG']

export function checkAttributes({ idleTimeoutSeconds, clientKeepAliveSeconds }: LoadBalancerAttributes): Problem[] {
  return [
    ...checkOptional(idleTimeoutSeconds, 'idle_timeout.timeout_seconds', IDLE_TIMEOUT_SECONDS),
    ...checkOptional(clientKeepAliveSeconds, 'client_keep_alive.seconds', CLIENT_KEEP_ALIVE_SECONDS),
  ]
}

export function checkTargetGroup(group: TargetGroupConfig): Problem[] {
  const { deregistrationDelaySeconds, slowStartSeconds, minimumHealthy, stickiness, healthCheck } = group
  const unhealthyRouting = 'target_group_health.unhealthy_state_routing.minimum_healthy_targets'
  return [
    ...checkOptional(deregistrationDelaySeconds, 'deregistration_delay.timeout_seconds', DEREGISTRATION_DELAY_SECONDS),
    // 0 turns it off.
    ...checkOptional(
      slowStartSeconds === 0 ? undefined : slowStartSeconds,
      'slow_start.duration_seconds',
      SLOW_START_SECONDS,
    ),
    ...checkOptional(minimumHealthy?.count, `${unhealthyRouting}.count`, { min: 1, max: Infinity }),
    ...checkOptional(minimumHealthy?.percentage, `${unhealthyRouting}.percentage`, PERCENTAGE),
    ...(stickiness ? checkStickiness(stickiness) : []),
    ...checkHealthCheck(healthCheck),
    ...checkCombinations(group),
  ]
}

function checkStickiness(stickiness: Stickiness): Problem[] {
  const { type, durationSeconds } = stickiness
  const problems = outsideOf(durationSeconds, `stickiness.${type}.duration_seconds`, STICKINESS_SECONDS)
  if (type === 'lb_cookie') return problems
  const { cookieName } = stickiness
  if (cookieName === '' || OWN_COOKIES.some((own) => cookieName.startsWith(own))) {
    problems.push(invalid(`The cookie name '${cookieName}' is not valid: it cannot be or start with AWSALB`))
  }
  return problems
}

/** What AWS offers only apart from each other. */
function checkCombinations({
  algorithm = 'round_robin',
  slowStartSeconds = 0,
  isCrossZone,
  stickiness,
}: TargetGroupConfig): Problem[] {
  const problems: Problem[] = []
  if (slowStartSeconds > 0 && algorithm !== 'round_robin') {
    problems.push({
      code: 'InvalidConfigurationRequest',
      message: `Slow start is not supported with the routing algorithm '${algorithm}'`,
    })
  }
  if (isCrossZone === false && stickiness) {
    problems.push({
      code: 'InvalidConfigurationRequest',
      message: 'Stickiness is not supported when cross-zone load balancing is off',
    })
  }
  return problems
}

function checkHealthCheck(check: HealthCheckConfig): Problem[] {
  const { path, intervalSeconds, timeoutSeconds, healthyThreshold, unhealthyThreshold, matcher, port } = check
  const problems = [
    ...outsideOf(intervalSeconds, 'healthCheckIntervalSeconds', INTERVAL_SECONDS),
    ...outsideOf(timeoutSeconds, 'healthCheckTimeoutSeconds', TIMEOUT_SECONDS),
    ...outsideOf(healthyThreshold, 'healthyThresholdCount', THRESHOLD),
    ...outsideOf(unhealthyThreshold, 'unhealthyThresholdCount', THRESHOLD),
    ...checkOptional(port, 'healthCheckPort', PORT),
  ]
  if (timeoutSeconds >= intervalSeconds) {
    problems.push(invalid('Health check interval must be greater than the timeout.'))
  }
  if (!path.startsWith('/') || path.length > MAX_PATH_LENGTH) {
    problems.push(invalid(`Health check path '${path}' is not valid`))
  }
  if (matcher !== undefined && parseMatcher(matcher) === undefined) {
    problems.push(outOfModel(matcher, 'matcher.httpCode', 'be codes from 200 to 499'))
  }
  return problems
}

function checkOptional(value: number | undefined, member: string, bounds: Bounds): Problem[] {
  return value === undefined ? [] : outsideOf(value, member, bounds)
}
