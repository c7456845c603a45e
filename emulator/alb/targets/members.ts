import type { Clock, Timer } from '../../../services/wire/clock.ts'
import type { EventStream } from '../../core/events.ts'
import { takeOver } from '../answers.ts'
import { ClientResponse } from '../client-response.ts'
import type { Failure } from '../failure.ts'
import { createInFlight } from '../in-flight.ts'
import type { Target, TargetGroupConfig, TargetHealth } from '../model.ts'
import type { Zones } from '../zones.ts'
import { type GroupNode, updateNode } from './group-node.ts'
import { type HealthChecks, startHealthChecks } from './health-checks.ts'
import { type Matcher, parseMatcher } from './matcher.ts'
import { type Member, createView } from './member.ts'
import { beginsSlowly, slowStartOf } from './slow-start.ts'
import type { GroupStickiness } from './stickiness.ts'
import { type CheckResult, drainingHealth, mergeHealth, nextTrack, unusedHealth } from './target-health.ts'

/** The members of a target group, from their registration to the end of their draining. */
export interface Members {
  /** By the target's id. */
  readonly entries: ReadonlyMap<string, MemberEntry>
  register(targets: readonly Target[]): void
  deregister(targetIds: readonly string[]): void
  healthOf(entry: MemberEntry): TargetHealth
  stop(): void
}

/** A member with what is under way for it. */
export interface MemberEntry extends Member {
  checks: HealthChecks | undefined
  /** Of its deregistration delay. */
  timer: Timer | undefined
  shown: TargetHealth['state'] | undefined
}

export interface MembersDeps {
  readonly clock: Clock
  readonly events: EventStream
  readonly zones: Zones
  /** Kept up to date with every change of health. */
  readonly nodes: readonly GroupNode[]
  readonly stickiness: GroupStickiness | undefined
  /** Hears that nothing new goes to a target. */
  onDraining?(target: Target): void
}

/** AWS's default. */
const DEREGISTRATION_DELAY_SECONDS = 300

/** @throws Error for a matcher that is none */
export function createMembers(config: TargetGroupConfig, deps: MembersDeps): Members {
  const { clock, events, zones, nodes, stickiness, onDraining } = deps
  const { name, healthCheck } = config
  const isPass = matcherOf(config)
  const delayMs = (config.deregistrationDelaySeconds ?? DEREGISTRATION_DELAY_SECONDS) * 1000
  const slowStartMs = slowStartOf(config)
  const entries = new Map<string, MemberEntry>()

  function register(target: Target, isFirst: boolean): void {
    const before = entries.get(target.id)
    if (before && before.fixed?.state !== 'draining') return
    before?.timer?.cancel()
    const nowMs = clock.now()
    const entry: MemberEntry = {
      target,
      responses: before?.responses ?? createInFlight(),
      sockets: before?.sockets ?? new Set(),
      applicationCookie: stickiness?.applicationCookieFor(target.id),
      views: nodes.map(() => createView(nowMs)),
      isFirst,
      fixed: zones.names.includes(target.zone) ? undefined : unusedHealth(nowMs),
      checks: undefined,
      timer: undefined,
      shown: undefined,
    }
    entries.set(target.id, entry)
    target.gone.addEventListener('abort', () => cutAll(entry, 'target-gone'), { once: true })
    changed(entry)
    if (entry.fixed) return
    const onResult = (node: number, result: CheckResult): void => see(entry, node, result)
    entry.checks = startHealthChecks(target, { config: healthCheck, isPass, clock, zones, onResult })
  }

  /** One node's check has a result. */
  function see(entry: MemberEntry, index: number, result: CheckResult): void {
    const view = entry.views[index]
    const node = nodes[index]
    if (!view || !node) return
    const { state: before } = view.track.health
    const nowMs = clock.now()
    view.track = nextTrack(view.track, result, { config: healthCheck, nowMs })
    const { state } = view.track.health
    if (state === before) return
    view.slowSince = state === 'healthy' && beginsSlowly(entry, node, { nowMs, slowStartMs }) ? nowMs : undefined
    view.hasBeenHealthy ||= state === 'healthy'
    changed(entry)
  }

  function deregister(id: string): void {
    const entry = entries.get(id)
    if (!entry || entry.fixed?.state === 'draining') return
    entry.checks?.stop()
    entry.fixed = drainingHealth(clock.now())
    entry.timer = clock.after(delayMs, () => remove(entry))
    changed(entry)
    onDraining?.(entry.target)
  }

  function remove(entry: MemberEntry): void {
    entries.delete(entry.target.id)
    cutAll(entry, 'deregistration-delay')
    emitHealth(entry.target, 'unused', 'Target.NotRegistered')
  }

  /** What a client sees when the connection to the target breaks: a 502, or half an answer. */
  function cutAll({ responses, sockets }: MemberEntry, cause: Failure): void {
    for (const response of responses) {
      if (response instanceof ClientResponse && response.exchange) response.exchange.failure ??= cause
      takeOver(response, 502, clock.now())
    }
    for (const socket of sockets) socket.cut(cause)
  }

  function changed(entry: MemberEntry): void {
    for (const node of nodes) {
      updateNode(node, entries.values(), { config, slowStartMs })
      zones.setIll(node.zone, name, node.isZoneIll)
    }
    const health = healthOf(entry)
    if (health.state === entry.shown) return
    entry.shown = health.state
    emitHealth(entry.target, health.state, 'reason' in health ? health.reason : '')
  }

  /** A lost node tells nobody what it sees. */
  function healthOf({ fixed, views }: MemberEntry): TargetHealth {
    if (fixed) return fixed
    const seen = views.map(({ track }) => track.health)
    const told = seen.filter((_, node) => !zones.isLost(zones.names[node] ?? ''))
    return mergeHealth(told.length > 0 ? told : seen)
  }

  function emitHealth(target: Target, state: string, reason: string): void {
    events.emit({ type: 'alb.target-health', at: clock.now(), targetGroup: name, target: target.id, state, reason })
  }

  return {
    entries,
    register(targets) {
      const isFirst = ![...entries.values()].some(({ fixed }) => !fixed)
      for (const target of targets) register(target, isFirst)
    },
    deregister(targetIds) {
      for (const id of targetIds) deregister(id)
    },
    healthOf,
    stop() {
      for (const { checks, timer } of entries.values()) {
        checks?.stop()
        timer?.cancel()
      }
    },
  }
}

function matcherOf({ name, healthCheck }: TargetGroupConfig): Matcher {
  const matcher = parseMatcher(healthCheck.matcher)
  if (matcher) return matcher
  throw new Error(`${name} has a matcher that is none: ${healthCheck.matcher}.`)
}
