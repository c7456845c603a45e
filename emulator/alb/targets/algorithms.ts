import type { Clock } from '../../../services/wire/clock.ts'
import type { TargetGroupConfig } from '../model.ts'
import type { GroupNode } from './group-node.ts'
import { type Member, outstandingOf } from './member.ts'
import { shareOf } from './slow-start.ts'

/** Chooses one of the node's routable members; undefined when there is none. */
export type Algorithm = (node: GroupNode) => Member | undefined

export interface AlgorithmDeps {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly slowStartMs: number
}

/** The algorithms of aws-behaviour §1.4. None of them allocates. */
export function createAlgorithm(
  type: NonNullable<TargetGroupConfig['algorithm']>,
  { clock, random, slowStartMs }: AlgorithmDeps,
): Algorithm {
  if (type === 'least_outstanding_requests') return chooseLeastOutstanding
  if (type === 'weighted_random') return ({ routable }) => routable[Math.floor(random() * routable.length)]
  if (slowStartMs === 0) return chooseInTurn
  return (node) => {
    if (node.slowUntil === 0) return chooseInTurn(node)
    const nowMs = clock.now()
    if (nowMs < node.slowUntil) return chooseSlowly(node, nowMs, slowStartMs)
    node.slowUntil = 0
    return chooseInTurn(node)
  }
}

function chooseInTurn(node: GroupNode): Member | undefined {
  const { routable } = node
  const turn = node.turn < routable.length ? node.turn : node.turn % (routable.length || 1)
  node.turn = turn + 1
  return routable[turn]
}

/** A member in slow start lets turns pass, so that it takes its share of them. */
function chooseSlowly(node: GroupNode, nowMs: number, slowStartMs: number): Member | undefined {
  let chosen: Member | undefined
  for (let tries = 0; tries < node.routable.length; tries += 1) {
    chosen = chooseInTurn(node)
    const view = chosen?.views[node.index]
    if (!view) continue
    const share = shareOf(view, nowMs, slowStartMs)
    view.credit = share === 1 ? 1 : view.credit + share
    if (view.credit < 1) continue
    view.credit -= 1
    return chosen
  }
  return chosen
}

/** Among equals the next in the rotation. */
function chooseLeastOutstanding(node: GroupNode): Member | undefined {
  let least = chooseInTurn(node)
  const { routable, turn } = node
  for (let step = 0; step < routable.length - 1; step += 1) {
    const other = routable[(turn + step) % routable.length]
    if (least && other && outstandingOf(other) < outstandingOf(least)) least = other
  }
  return least
}
