import type { TargetGroupConfig } from '../model.ts'
import type { GroupNode } from './group-node.ts'
import type { Member, MemberView } from './member.ts'

/** Milliseconds of the group's slow start; 0 for a group without one, and for algorithms that have none. */
export function slowStartOf({ slowStartSeconds = 0, algorithm = 'round_robin' }: TargetGroupConfig): number {
  return algorithm === 'round_robin' ? slowStartSeconds * 1000 : 0
}

/**
 * Whether a member that has just become healthy to a node begins slowly (aws-behaviour §1.4): for its first time only,
 * and where others, which are not in slow start, can take the rest.
 */
export function beginsSlowly(
  member: Member,
  node: GroupNode,
  { nowMs, slowStartMs }: { nowMs: number; slowStartMs: number },
): boolean {
  const view = member.views[node.index]
  if (slowStartMs === 0 || member.isFirst || view?.hasBeenHealthy !== false) return false
  if (node.isFailOpen) return false
  return node.routable.some((other) => {
    const seen = other.views[node.index]
    return other !== member && seen !== undefined && shareOf(seen, nowMs, slowStartMs) === 1
  })
}

/** The part of its turns that a member takes: grows linearly from 0 to 1. */
export function shareOf({ slowSince }: MemberView, nowMs: number, slowStartMs: number): number {
  return slowSince === undefined ? 1 : Math.min(1, (nowMs - slowSince) / slowStartMs)
}
