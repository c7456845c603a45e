import type { Exchange } from '../exchange.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import type { RoutedTargetGroup } from '../targets/target-group.ts'
import type { Zones } from '../zones.ts'
import type { Explained } from './explained.ts'

/** Notes how a request was routed, right after it was and before its headers become those for the target. */
export type NoteRouting = (exchange: Exchange, explained: Explained) => void

export function createNoteRouting(
  rules: Pick<RuleSet, 'explain'>,
  targetGroups: ReadonlyMap<string, RoutedTargetGroup>,
  zones: Pick<Zones, 'names'>,
): NoteRouting {
  return (exchange, explained) => {
    const { node } = exchange.connection
    explained.node = zones.names[node]
    if (exchange.rule === undefined) return
    explained.rules = rules.explain(exchange)
    if (exchange.targetGroup !== undefined) explained.routing = targetGroups.get(exchange.targetGroup)?.explain(node)
  }
}
