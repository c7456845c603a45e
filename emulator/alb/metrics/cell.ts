import type { AccessRecord } from '../../core/events.ts'

/** What one node has seen of requests to one target group within one minute. */
export interface Cell {
  readonly node: number
  /** Undefined for requests that reached none. */
  readonly targetGroup: string | undefined
  requests: number
  ipv6Requests: number
  bytes: number
  ipv6Bytes: number
  /** By their first digit. */
  readonly targetCodes: number[]
  /** By code; the balancer's own answers. */
  readonly ownCodes: Map<number, number>
  fixedResponses: number
  redirects: number
  connectionErrors: number
  nonCompliant: number
  failOpen: number
  nonSticky: number
  /** How often each time occurred, in milliseconds. */
  readonly responseTimes: Map<number, number>
}

export function createCell(node: number, targetGroup: string | undefined): Cell {
  return {
    node,
    targetGroup,
    requests: 0,
    ipv6Requests: 0,
    bytes: 0,
    ipv6Bytes: 0,
    targetCodes: [0, 0, 0, 0, 0, 0],
    ownCodes: new Map(),
    fixedResponses: 0,
    redirects: 0,
    connectionErrors: 0,
    nonCompliant: 0,
    failOpen: 0,
    nonSticky: 0,
    responseTimes: new Map(),
  }
}

const SWITCHED = 101
const CONNECTION_FAILURES = new Set(['target-refused', 'target-gone', 'connect-timeout'])

export function count(cell: Cell, record: AccessRecord): void {
  const bytes = record.receivedBytes + record.sentBytes
  cell.bytes += bytes
  // Only a request that a target was chosen for counts as one (aws-behaviour §1.17).
  if (record.target !== undefined) cell.requests += 1
  if (isIpv6(record.client)) {
    cell.ipv6Bytes += bytes
    if (record.target !== undefined) cell.ipv6Requests += 1
  }
  if (record.targetStatus === undefined) add(cell.ownCodes, record.status)
  else countTarget(cell, record, record.targetStatus)
  if (record.action === 'fixed-response') cell.fixedResponses += 1
  if (record.action === 'redirect') cell.redirects += 1
  if (record.failure !== undefined && CONNECTION_FAILURES.has(record.failure)) cell.connectionErrors += 1
  if (record.classification !== undefined) cell.nonCompliant += 1
  if (record.isFailOpen) cell.failOpen += 1
  if (record.isNonSticky) cell.nonSticky += 1
}

/** A socket that opens is neither among the codes nor among the times: its answer is its whole life. */
function countTarget(cell: Cell, { routedAt, answeredAt }: AccessRecord, status: number): void {
  if (status === SWITCHED) return
  const hundreds = Math.floor(status / 100)
  cell.targetCodes[hundreds] = (cell.targetCodes[hundreds] ?? 0) + 1
  if (routedAt !== undefined && answeredAt !== undefined) add(cell.responseTimes, answeredAt - routedAt)
}

/** Of `address:port`. */
function isIpv6(client: string): boolean {
  return client.indexOf(':') !== client.lastIndexOf(':')
}

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
