import type { Clock, Timer } from '../../../services/wire/clock.ts'
import type { EventStream } from '../../core/events.ts'
import { takeOver } from '../answers.ts'
import type { Target, TargetGroupConfig, TargetHealth, TargetHealthDescription } from '../model.ts'
import type { Zones } from '../zones.ts'
import { createAlgorithm } from './algorithms.ts'
import { type GroupNode, createGroupNode, updateNode } from './group-node.ts'
import { type HealthChecks, startHealthChecks } from './health-checks.ts'
import { type Matcher, parseMatcher } from './matcher.ts'
import { type Member, type Registration, createView } from './member.ts'
import { beginsSlowly, slowStartOf } from './slow-start.ts'
import { createStickiness } from './stickiness.ts'
import type { StickinessCookies } from './stickiness-cookie.ts'
import {
  type CheckResult,
  type Unchecked,
  drainingHealth,
  mergeHealth,
  nextTrack,
  outOfUse,
  unusedHealth,
} from './target-health.ts'

export interface TargetGroup {
  readonly name: string
  /**
   * Takes the targets in, in one operation, and checks them at once; each gets requests when that check has passed.
   * Nothing changes for a target that is registered already.
   */
  register(...targets: readonly Target[]): void
  /** Nothing new goes there; what is in flight goes on until the deregistration delay ends. */
  deregister(...targetIds: readonly string[]): void
  /** Every registered and draining target. */
  describeHealth(): readonly TargetHealthDescription[]
  /** The first checks of all nodes since the target was registered: one failure, else a pass; rejects when it is not. */
  firstCheck(targetId: string): Promise<CheckResult | Unchecked>
}

export interface RoutedTargetGroup extends TargetGroup {
  /** The target for one request through the node; undefined when there is none. */
  pick(node: number, cookieHeader: string | undefined): Registration | undefined
  /** `Set-Cookie` values for an answer of the target; undefined when there are none. */
  setCookiesFor(registration: Registration): readonly string[] | undefined
  /** What the node chooses from, and why. */
  explain(node: number): RoutingState
  stop(): void
}

export interface RoutingState {
  readonly algorithm: NonNullable<TargetGroupConfig['algorithm']>
  /** Ids of the targets that get requests. */
  readonly routable: readonly string[]
  /** Fewer are healthy than the group's minimum, so that unhealthy ones get requests too. */
  readonly isFailOpen: boolean
}

export interface TargetGroupDeps {
  readonly clock: Clock
  readonly events: EventStream
  readonly zones: Zones
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly cookies: StickinessCookies
  /** Hears that nothing new goes to a target. */
  onDraining?(target: Target): void
}

/** A member with what is under way for it. */
interface Entry extends Member {
  checks: HealthChecks | undefined
  /** Of its deregistration delay. */
  timer: Timer | undefined
  shown: TargetHealth['state'] | undefined
}

/** AWS's default. */
const DEREGISTRATION_DELAY_SECONDS = 300

/** @throws Error for a matcher that is none */
export function createTargetGroup(config: TargetGroupConfig, deps: TargetGroupDeps): RoutedTargetGroup {
  const { clock, events, zones, random, cookies } = deps
  const { name, healthCheck, algorithm = 'round_robin' } = config
  const isPass = matcherOf(config)
  const delayMs = (config.deregistrationDelaySeconds ?? DEREGISTRATION_DELAY_SECONDS) * 1000
  const slowStartMs = slowStartOf(config)
  const choose = createAlgorithm(algorithm, { clock, random, slowStartMs })
  const stickiness = createStickiness(config, cookies)
  const nodes = zones.names.map((zone, index) => createGroupNode(index, zone))
  const entries = new Map<string, Entry>()

  function register(...targets: readonly Target[]): void {
    const isFirst = ![...entries.values()].some(({ fixed }) => !fixed)
    for (const target of targets) registerOne(target, isFirst)
  }

  function registerOne(target: Target, isFirst: boolean): void {
    const before = entries.get(target.id)
    if (before && before.fixed?.state !== 'draining') return
    before?.timer?.cancel()
    const nowMs = clock.now()
    const entry: Entry = {
      target,
      responses: before?.responses ?? new Set(),
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
    target.gone.addEventListener('abort', () => cutAll(entry), { once: true })
    changed(entry)
    if (entry.fixed) return
    const onResult = (node: number, result: CheckResult): void => see(entry, node, result)
    entry.checks = startHealthChecks(target, { config: healthCheck, isPass, clock, zones, onResult })
  }

  /** One node's check has a result. */
  function see(entry: Entry, node: number, result: CheckResult): void {
    const view = entry.views[node]
    const groupNode = nodes[node]
    if (!view || !groupNode) return
    const { state } = view.track.health
    const nowMs = clock.now()
    view.track = nextTrack(view.track, result, { config: healthCheck, nowMs })
    const isHealthy = view.track.health.state === 'healthy'
    if (isHealthy === (state === 'healthy')) {
      if (view.track.health.state !== state) changed(entry)
      return
    }
    view.slowSince = isHealthy && beginsSlowly(entry, groupNode, { nowMs, slowStartMs }) ? nowMs : undefined
    view.hasBeenHealthy ||= isHealthy
    changed(entry)
  }

  function deregister(...targetIds: readonly string[]): void {
    for (const id of targetIds) {
      const entry = entries.get(id)
      if (!entry || entry.fixed?.state === 'draining') continue
      entry.checks?.stop()
      entry.fixed = drainingHealth(clock.now())
      entry.timer = clock.after(delayMs, () => remove(entry))
      changed(entry)
      deps.onDraining?.(entry.target)
    }
  }

  function remove(entry: Entry): void {
    entries.delete(entry.target.id)
    cutAll(entry)
    emitHealth(entry.target, 'unused', 'Target.NotRegistered')
  }

  /** What a client sees when the connection to the target breaks: a 502, or half an answer. */
  function cutAll({ responses, sockets }: Entry): void {
    for (const response of responses) takeOver(response, 502, clock.now())
    for (const socket of sockets) socket.cut()
  }

  function changed(entry: Entry): void {
    for (const node of nodes) updateNode(node, entries.values(), { config, slowStartMs })
    const health = healthOf(entry)
    if (health.state === entry.shown) return
    entry.shown = health.state
    emitHealth(entry.target, health.state, 'reason' in health ? health.reason : '')
  }

  /** A lost node tells nobody what it sees. */
  function healthOf({ fixed, views }: Entry): TargetHealth {
    if (fixed) return fixed
    const seen = views.map(({ track }) => track.health)
    const told = seen.filter((_, node) => !zones.isLost(zones.names[node] ?? ''))
    return mergeHealth(told.length > 0 ? told : seen)
  }

  function emitHealth(target: Target, state: string, reason: string): void {
    events.emit({ type: 'alb.target-health', at: clock.now(), targetGroup: name, target: target.id, state, reason })
  }

  function keptBy(node: GroupNode, cookieHeader: string): Member | undefined {
    const targetId = stickiness?.read(cookieHeader)
    const entry = targetId === undefined ? undefined : entries.get(targetId)
    return entry && node.routable.includes(entry) ? entry : undefined
  }

  return {
    name,
    register,
    deregister,
    describeHealth: () => [...entries.values()].map((entry) => ({ target: entry.target, health: healthOf(entry) })),
    async firstCheck(targetId) {
      const entry = entries.get(targetId)
      if (!entry) throw new Error(`${targetId} is not registered in ${name}.`)
      return entry.checks?.first ?? outOfUse
    },
    pick(index, cookieHeader) {
      const node = nodes[index]
      if (!node) return undefined
      const kept = stickiness && cookieHeader !== undefined ? keptBy(node, cookieHeader) : undefined
      return kept ?? choose(node)
    },
    setCookiesFor: ({ target }) => stickiness?.setCookiesFor(target.id),
    explain(index) {
      const { routable = [], isFailOpen = false } = nodes[index] ?? {}
      return { algorithm, routable: routable.map(({ target }) => target.id), isFailOpen }
    },
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
