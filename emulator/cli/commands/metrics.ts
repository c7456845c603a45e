import { METRICS_PATH } from '../../alb/explain/introspection.ts'
import type { Datapoint } from '../../alb/metrics/metrics.ts'
import { type CommandContext, textOption } from '../command.ts'
import { askEndpoint, endpointOf, runningOf } from '../running.ts'

/** Prints the balancer's datapoints of the last minutes, those of the whole balancer first. */
export async function run(context: CommandContext): Promise<number> {
  const endpoint = endpointOf(await runningOf(context))
  const minutes = encodeURIComponent(textOption(context, 'minutes') ?? '5')
  // An environment of this version answers it.
  const { datapoints } = (await askEndpoint(`${endpoint}${METRICS_PATH}?minutes=${minutes}`)) as Answer
  const metric = textOption(context, 'metric')
  const wanted = datapoints
    .filter((point) => metric === undefined || point.metric === metric)
    .filter(({ dimensions }) => context.options['all'] === true || isOfBalancer(dimensions))
  const text = context.options['json'] === true ? JSON.stringify(wanted, undefined, 2) : describe(wanted)
  context.terminal.stdout.write(`${text}\n`)
  return 0
}

interface Answer {
  readonly datapoints: readonly Datapoint[]
}

/** Counts of hosts are of target groups only. */
function isOfBalancer({ TargetGroup, AvailabilityZone }: Datapoint['dimensions']): boolean {
  return TargetGroup === undefined && AvailabilityZone === undefined
}

function describe(points: readonly Datapoint[]): string {
  if (points.length === 0) return 'Nothing was counted.'
  const rows = points.map((point) => [
    new Date(point.at).toISOString().slice(11, 16),
    point.metric,
    placeOf(point.dimensions),
    valueOf(point),
  ])
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function placeOf({ TargetGroup, AvailabilityZone }: Datapoint['dimensions']): string {
  return [TargetGroup?.split('/')[1], AvailabilityZone].filter((part) => part !== undefined).join(' ')
}

/** Of each metric the statistic that people read. */
function valueOf({ metric, unit, sum, average, minimum, maximum, percentiles }: Datapoint): string {
  if (percentiles) {
    const { p50, p90, p99 } = percentiles
    return `average ${average.toFixed(3)} s, p50 ${p50} s, p90 ${p90} s, p99 ${p99} s`
  }
  if (metric.endsWith('HostCount')) return minimum === maximum ? `${maximum}` : `${minimum} to ${maximum}`
  return unit === 'Bytes' ? `${sum} bytes` : `${sum}`
}
