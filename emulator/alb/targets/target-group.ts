import type { Target, TargetGroupConfig, TargetHealthDescription } from '../model.ts'
import { createAlgorithm } from './algorithms.ts'
import { type GroupNode, createGroupNode } from './group-node.ts'
import type { Registration } from './member.ts'
import { type MembersDeps, createMembers } from './members.ts'
import type { PickNotes, RoutingState } from './routing.ts'
import { slowStartOf } from './slow-start.ts'
import { createStickiness } from './stickiness.ts'
import type { StickinessCookies } from './stickiness-cookie.ts'
import { type CheckResult, type Unchecked, outOfUse } from './target-health.ts'

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
  /** The target for one request through the node; undefined when there is none. How that came about goes into `notes`. */
  pick(node: number, cookieHeader: string | undefined, notes?: PickNotes): Registration | undefined
  /** `Set-Cookie` values for an answer of the target; undefined when there are none. */
  setCookiesFor(registration: Registration): readonly string[] | undefined
  /** What the node chooses from, and why. */
  explain(node: number): RoutingState
  stop(): void
}

export interface TargetGroupDeps extends Omit<MembersDeps, 'nodes' | 'stickiness'> {
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly cookies: StickinessCookies
}

/** @throws Error for a matcher that is none */
export function createTargetGroup(config: TargetGroupConfig, deps: TargetGroupDeps): RoutedTargetGroup {
  const { clock, zones, random, cookies } = deps
  const { name, algorithm = 'round_robin' } = config
  const choose = createAlgorithm(algorithm, { clock, random, slowStartMs: slowStartOf(config) })
  const stickiness = createStickiness(config, cookies)
  const nodes = zones.names.map((zone, index) => createGroupNode(index, zone))
  const { entries, healthOf, ...members } = createMembers(config, { ...deps, nodes, stickiness })

  function keptBy(node: GroupNode, cookieHeader: string): Registration | undefined {
    const targetId = stickiness?.read(cookieHeader)
    const entry = targetId === undefined ? undefined : entries.get(targetId)
    return entry && node.routable.includes(entry) ? entry : undefined
  }

  return {
    name,
    register: (...targets) => members.register(targets),
    deregister: (...targetIds) => members.deregister(targetIds),
    describeHealth: () => [...entries.values()].map((entry) => ({ target: entry.target, health: healthOf(entry) })),
    async firstCheck(targetId) {
      const entry = entries.get(targetId)
      if (!entry) throw new Error(`${targetId} is not registered in ${name}.`)
      return entry.checks?.first ?? outOfUse
    },
    pick(index, cookieHeader, notes) {
      const node = nodes[index]
      if (!node) return undefined
      const kept = stickiness && cookieHeader !== undefined ? keptBy(node, cookieHeader) : undefined
      if (notes) {
        notes.isFailOpen = node.isFailOpen
        notes.isNonSticky = stickiness !== undefined && !kept
      }
      return kept ?? choose(node)
    },
    setCookiesFor: ({ target }) => stickiness?.setCookiesFor(target.id),
    explain(index) {
      const { routable = [], isFailOpen = false } = nodes[index] ?? {}
      return { algorithm, routable: routable.map(({ target }) => target.id), isFailOpen }
    },
    stop: members.stop,
  }
}
