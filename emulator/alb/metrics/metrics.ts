import type { Clock } from '../../../services/wire/clock.ts'
import type { EnvironmentEvent } from '../../core/events.ts'
import type { TargetHealthDescription } from '../model.ts'
import type { AwsNames } from '../names.ts'
import { type Cell, count, createCell } from './cell.ts'
import { type ConnectionObserver, createConnectionCounts } from './connection-counts.ts'
import { type Unit, definitions } from './definitions.ts'
import { createHostCounts } from './host-counts.ts'
import { type Statistics, ofCount, ofTotal } from './statistics.ts'

/** What the balancer tells CloudWatch every minute, under its names (`AWS/ApplicationELB`). */
export interface Metrics {
  /** Every datapoint of the last `minutes`, the one that is still underway included, the oldest first. */
  read(minutes?: number): readonly Datapoint[]
}

export interface Datapoint extends Statistics {
  readonly metric: string
  readonly unit: Unit
  readonly dimensions: Dimensions
  /** When its minute began, in milliseconds. */
  readonly at: number
}

export interface Dimensions {
  readonly LoadBalancer: string
  readonly TargetGroup?: string
  readonly AvailabilityZone?: string
}

export interface MetricsDeps {
  readonly clock: Clock
  readonly names: AwsNames
  /** Of the nodes, by their index. */
  readonly zones: readonly string[]
  readonly healthOf: (targetGroup: string) => readonly TargetHealthDescription[]
}

export interface MetricsCollector extends Metrics, ConnectionObserver {
  observe(event: EnvironmentEvent): void
}

const MINUTE_MS = 60_000
/** Three hours: more than anybody looks back here, little enough to hold. */
const KEPT_MINUTES = 180

interface Minute {
  readonly at: number
  /** By node, then by target group. */
  readonly cells: Map<string | undefined, Cell>[]
}

interface Where {
  readonly at: number
  readonly group?: string | undefined
  readonly zone?: string | undefined
}

/** Nothing is added where there was nothing to measure. */
type Add = (metric: string, unit: Unit, where: Where, statistics: Statistics | undefined) => void

export function createMetrics({ clock, names, zones, healthOf }: MetricsDeps): MetricsCollector {
  const minutes: Minute[] = []
  const hosts = createHostCounts(() => clock.now())
  const connections = createConnectionCounts(() => minuteOf(clock.now()), KEPT_MINUTES)

  function minuteAt(ms: number): Minute {
    const at = minuteOf(ms)
    const last = minutes.at(-1)
    // A clock that was set back counts on where it was.
    if (last && last.at >= at) return last
    const minute = { at, cells: [] }
    minutes.push(minute)
    const forgotten = at - KEPT_MINUTES * MINUTE_MS
    while ((minutes[0]?.at ?? at) < forgotten) minutes.shift()
    hosts.forget(forgotten)
    return minute
  }

  function cellOf({ cells }: Minute, node: number, targetGroup: string | undefined): Cell {
    const groups = (cells[node] ??= new Map<string | undefined, Cell>())
    const known = groups.get(targetGroup)
    if (known) return known
    const cell = createCell(node, targetGroup)
    groups.set(targetGroup, cell)
    return cell
  }

  /** The requests of a minute under every combination of dimensions that has any. */
  function requestsOf({ at, cells }: Minute, add: Add): void {
    const all = cells.flatMap((groups) => [...groups.values()])
    const groups = [...new Set(all.flatMap(({ targetGroup }) => targetGroup ?? []))]
    for (const zone of zonesOrAll()) {
      const here = zone === undefined ? all : all.filter(({ node }) => zones[node] === zone)
      for (const group of [undefined, ...groups]) {
        const chosen = group === undefined ? here : here.filter(({ targetGroup }) => targetGroup === group)
        for (const { name, unit, isOfTargets, measure } of definitions) {
          if (isOfTargets || group === undefined) add(name, unit, { at, group, zone }, measure(chosen))
        }
      }
    }
  }

  /** Among the healthy ones, as scaling by requests wants it. */
  function perTargetOf(minute: Minute, add: Add): void {
    const all = minute.cells.flatMap((groups) => [...groups.values()])
    for (const group of new Set(all.flatMap(({ targetGroup }) => targetGroup ?? []))) {
      const requests = all.reduce((sum, cell) => sum + (cell.targetGroup === group ? cell.requests : 0), 0)
      const healthy = hosts.measure('healthy', { group }, { fromMs: minute.at, toMs: minute.at + MINUTE_MS })?.maximum
      const each = requests / Math.max(1, healthy ?? 1)
      add('RequestCountPerTarget', 'Count', { at: minute.at, group }, ofTotal(each))
    }
  }

  function connectionsOf(at: number, add: Add): void {
    for (const zone of zonesOrAll()) {
      const { opened, active, failed } = connections.in(at, zone === undefined ? undefined : zones.indexOf(zone))
      add('NewConnectionCount', 'Count', { at, zone }, ofCount(opened))
      add('ActiveConnectionCount', 'Count', { at, zone }, ofTotal(active))
      if (zone === undefined) add('ClientTLSNegotiationErrorCount', 'Count', { at }, ofCount(failed))
    }
  }

  function hostsOf(at: number, add: Add): void {
    const places = hosts.places()
    const groups = [...new Set(places.map(({ group }) => group))].map((group) => ({ group, zone: undefined }))
    const minute = { fromMs: at, toMs: at + MINUTE_MS }
    for (const { group, zone } of [...groups, ...places]) {
      const of = zone === undefined ? { group } : { group, zone }
      add('HealthyHostCount', 'Count', { at, group, zone }, hosts.measure('healthy', of, minute))
      add('UnHealthyHostCount', 'Count', { at, group, zone }, hosts.measure('unhealthy', of, minute))
    }
  }

  function toDimensions({ group, zone }: Where): Dimensions {
    return {
      LoadBalancer: names.loadBalancer,
      ...(group !== undefined && { TargetGroup: names.targetGroup(group) }),
      ...(zone !== undefined && { AvailabilityZone: zone }),
    }
  }

  function zonesOrAll(): (string | undefined)[] {
    return [undefined, ...zones]
  }

  return {
    observe(event) {
      if (event.type === 'alb.access') {
        const { access } = event
        count(cellOf(minuteAt(event.at), access.node, access.targetGroup), access)
      } else if (event.type === 'alb.target-health') {
        hosts.see(event.targetGroup, healthOf(event.targetGroup))
      }
    },
    ...connections.observer,
    read(wanted = KEPT_MINUTES) {
      const latest = minuteOf(clock.now())
      const first = latest - (Math.min(wanted, KEPT_MINUTES) - 1) * MINUTE_MS
      const points: Datapoint[] = []
      const add: Add = (metric, unit, where, statistics) => {
        if (statistics) points.push({ metric, unit, dimensions: toDimensions(where), at: where.at, ...statistics })
      }
      for (let at = first; at <= latest; at += MINUTE_MS) {
        const minute = minutes.find((each) => each.at === at)
        if (minute) {
          requestsOf(minute, add)
          perTargetOf(minute, add)
        }
        connectionsOf(at, add)
        hostsOf(at, add)
      }
      return points
    },
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS
}
