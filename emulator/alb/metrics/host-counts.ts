import type { TargetHealthDescription } from '../model.ts'
import { type Statistics, ofValues } from './statistics.ts'

/** How many targets of a group were healthy and unhealthy in a zone, from `at` on. */
interface Hosts {
  readonly at: number
  readonly healthy: number
  readonly unhealthy: number
}

/** Follows the health of targets, by group and zone. */
export interface HostCounts {
  /** Takes what is true of a group from now on. */
  see(group: string, targets: readonly TargetHealthDescription[]): void
  /** Groups with the zones in which they have had targets. */
  places(): readonly { readonly group: string; readonly zone: string }[]
  /** Undefined while there was no target. */
  measure(
    state: 'healthy' | 'unhealthy',
    where: Place,
    minute: { fromMs: number; toMs: number },
  ): Statistics | undefined
  forget(beforeMs: number): void
}

interface Place {
  readonly group: string
  /** All of them when absent. */
  readonly zone?: string
}

export function createHostCounts(now: () => number): HostCounts {
  /** Changes in the order they came, by group and zone. */
  const changes = new Map<string, Map<string, Hosts[]>>()

  function see(group: string, targets: readonly TargetHealthDescription[]): void {
    const zones = changes.get(group) ?? new Map<string, Hosts[]>()
    changes.set(group, zones)
    const current = new Set([...zones.keys(), ...targets.map(({ target }) => target.zone)])
    for (const zone of current) {
      const states = targets.filter(({ target }) => target.zone === zone).map(({ health }) => health.state)
      const count = (state: string): number => states.filter((each) => each === state).length
      const list = zones.get(zone) ?? []
      zones.set(zone, list)
      list.push({ at: now(), healthy: count('healthy'), unhealthy: count('unhealthy') })
    }
  }

  /** What it was when the minute began, and every change within it; undefined before there was a target. */
  function valuesIn(list: readonly Hosts[], { fromMs, toMs }: { fromMs: number; toMs: number }): Hosts[] {
    const before = list.findLast(({ at }) => at < fromMs)
    const within = list.filter(({ at }) => at >= fromMs && at < toMs)
    return before ? [before, ...within] : within
  }

  return {
    see,
    places: () => [...changes].flatMap(([group, zones]) => [...zones.keys()].map((zone) => ({ group, zone }))),
    measure(state, { group, zone }, minute) {
      const zones = changes.get(group) ?? new Map<string, Hosts[]>()
      const lists = zone === undefined ? [...zones.values()] : [zones.get(zone) ?? []]
      const perZone = lists.map((list) => valuesIn(list, minute)).filter((values) => values.length > 0)
      if (perZone.length === 0) return undefined
      const isEmpty = perZone.every((values) => values.every(({ healthy, unhealthy }) => healthy + unhealthy === 0))
      if (isEmpty) return undefined
      const longest = Math.max(...perZone.map((values) => values.length))
      // Changes of a group come for all of its zones at once, so that the last ones belong together.
      const sums = Array.from({ length: longest }, (_, index) =>
        perZone.reduce((sum, values) => sum + (values.at(index - longest) ?? values[0] ?? NOBODY)[state], 0),
      )
      return ofValues(sums)
    },
    forget(beforeMs) {
      for (const zones of changes.values()) {
        for (const list of zones.values()) {
          const first = list.findLastIndex(({ at }) => at < beforeMs)
          if (first > 0) list.splice(0, first)
        }
      }
    },
  }
}

const NOBODY: Hosts = { at: 0, healthy: 0, unhealthy: 0 }
