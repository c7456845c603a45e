import type { TargetGroupConfig } from '../model.ts'
import type { Member } from './member.ts'

/** One node of the balancer, for one target group: it sees health for itself and has a rotation of its own. */
export interface GroupNode {
  readonly index: number
  readonly zone: string
  /** Where its requests go. */
  routable: readonly Member[]
  /** Too few are healthy, so that all of them get requests. */
  isFailOpen: boolean
  /** There are targets in its zone, and it sees none of them as healthy. */
  isZoneIll: boolean
  /** Where its rotation stands. */
  turn: number
  /** Until when one of `routable` may be in slow start; 0 when none is. */
  slowUntil: number
}

/** Rotations of different nodes do not begin at the same target. */
export function createGroupNode(index: number, zone: string): GroupNode {
  return { index, zone, routable: [], isFailOpen: false, isZoneIll: false, turn: index, slowUntil: 0 }
}

/** Decides anew where the node's requests go: to what it sees as healthy, or everywhere when that is too little. */
export function updateNode(
  node: GroupNode,
  members: Iterable<Member>,
  { config, slowStartMs }: { config: TargetGroupConfig; slowStartMs: number },
): void {
  const { index, zone } = node
  const isOwn = (member: Member): boolean => config.isCrossZone !== false || member.target.zone === zone
  const isHealthy = (member: Member): boolean => member.views[index]?.track.health.state === 'healthy'
  const all = [...members].filter((member) => !member.fixed)
  const here = all.filter((member) => member.target.zone === zone)
  node.isZoneIll = here.length > 0 && !here.some(isHealthy)
  const registered = all.filter(isOwn)
  const healthy = registered.filter(isHealthy)
  node.isFailOpen = registered.length > 0 && healthy.length < leastHealthy(config, registered.length)
  node.routable = node.isFailOpen ? registered : healthy
  const slowSince = node.routable.map((member) => member.views[index]?.slowSince ?? -Infinity)
  node.slowUntil = Math.max(0, ...slowSince.map((since) => since + slowStartMs))
}

/** `unhealthy_state_routing.minimum_healthy_targets`: both counts hold when both are there. */
function leastHealthy({ minimumHealthy }: TargetGroupConfig, registered: number): number {
  const { count = 1, percentage = 0 } = minimumHealthy ?? {}
  return Math.max(count, (registered * percentage) / 100)
}
