import type { WeightedTargetGroup } from '../model.ts'

/**
 * A choice by weight. `random` is uniform in [0, 1). Undefined when no group has a weight: there is no failing over to
 * another group, neither here nor when the chosen one has no target (aws-behaviour §1.3).
 */
export function compileWeights(groups: readonly WeightedTargetGroup[], random: () => number): () => string | undefined {
  const total = groups.reduce((sum, { weight }) => sum + weight, 0)
  return () => {
    if (total === 0) return undefined
    let left = random() * total
    for (const { targetGroup, weight } of groups) {
      left -= weight
      if (left < 0) return targetGroup
    }
    // Only by rounding.
    return groups.findLast(({ weight }) => weight > 0)?.targetGroup
  }
}
