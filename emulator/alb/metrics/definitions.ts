import type { Cell } from './cell.ts'
import { type Statistics, ofCount, ofDurations, ofTotal } from './statistics.ts'

export type Unit = 'Count' | 'Seconds' | 'Bytes'

/** A metric that is made of requests, under CloudWatch's name. */
export interface Definition {
  readonly name: string
  readonly unit: Unit
  /** Whether it is also kept by target group. */
  readonly isOfTargets: boolean
  measure(cells: readonly Cell[]): Statistics | undefined
}

/** aws-behaviour §1.17. */
export const definitions: readonly Definition[] = [
  counted('RequestCount', (cell) => cell.requests, 'of targets'),
  counted('IPv6RequestCount', (cell) => cell.ipv6Requests, 'of targets'),
  bytes('ProcessedBytes', (cell) => cell.bytes),
  bytes('IPv6ProcessedBytes', (cell) => cell.ipv6Bytes),
  ...[3, 4, 5].map((digit) => counted(`HTTPCode_ELB_${digit}XX_Count`, (cell) => ownCodes(cell, digit))),
  ...[500, 502, 503, 504].map((code) => counted(`HTTPCode_ELB_${code}_Count`, (cell) => cell.ownCodes.get(code) ?? 0)),
  counted('HTTP_Fixed_Response_Count', (cell) => cell.fixedResponses),
  counted('HTTP_Redirect_Count', (cell) => cell.redirects),
  ...[2, 3, 4, 5].map((digit) =>
    counted(`HTTPCode_Target_${digit}XX_Count`, (cell) => cell.targetCodes[digit] ?? 0, 'of targets'),
  ),
  {
    name: 'TargetResponseTime',
    unit: 'Seconds',
    isOfTargets: true,
    measure: (cells) => ofDurations(merged(cells.map(({ responseTimes }) => responseTimes))),
  },
  counted('TargetConnectionErrorCount', (cell) => cell.connectionErrors, 'of targets'),
  counted('UnhealthyRoutingRequestCount', (cell) => cell.failOpen, 'of targets'),
  counted('NonStickyRequestCount', (cell) => cell.nonSticky, 'of targets'),
  counted('DesyncMitigationMode_NonCompliant_Request_Count', (cell) => cell.nonCompliant),
]

function counted(name: string, of: (cell: Cell) => number, about?: 'of targets'): Definition {
  return { name, unit: 'Count', isOfTargets: about !== undefined, measure: (cells) => ofCount(total(cells, of)) }
}

function bytes(name: string, of: (cell: Cell) => number): Definition {
  return { name, unit: 'Bytes', isOfTargets: false, measure: (cells) => ofTotal(total(cells, of)) }
}

function total(cells: readonly Cell[], of: (cell: Cell) => number): number {
  return cells.reduce((sum, cell) => sum + of(cell), 0)
}

/** 460, which nobody gets, is among them (unverified). */
function ownCodes({ ownCodes: codes }: Cell, digit: number): number {
  return [...codes].reduce((sum, [code, times]) => (Math.floor(code / 100) === digit ? sum + times : sum), 0)
}

function merged(maps: readonly ReadonlyMap<number, number>[]): Map<number, number> {
  const all = new Map<number, number>()
  for (const each of maps) for (const [key, times] of each) all.set(key, (all.get(key) ?? 0) + times)
  return all
}
