import type { Clock } from '../../../services/wire/clock.ts'
import type { AccessRecord, EventStream } from '../../core/events.ts'
import { type Connection, takeBytes } from '../connection.ts'
import type { Exchange } from '../exchange.ts'
import type { Target } from '../model.ts'
import type { Verdict } from '../wire/desync.ts'

export interface AccessDeps {
  readonly clock: Clock
  readonly events: EventStream
}

export interface MalformedDeps extends AccessDeps {
  readonly verdict?: Verdict | undefined
}

/** Says that an exchange is over. `status` is what the client got, or 460 when it left before. */
export function recordAccess(exchange: Exchange, status: number, { clock, events }: AccessDeps): void {
  const { connection, startedAt, registration, request } = exchange
  const at = clock.now()
  const { receivedBytes, sentBytes } = takeBytes(connection)
  const target = registration?.target
  events.emit({
    type: 'alb.access',
    at,
    access: {
      kind: toKind(connection.kind, status),
      client: connection.name,
      node: connection.node,
      nodeAddress: connection.address,
      listenerPort: connection.port,
      method: exchange.method,
      host: exchange.host,
      path: exchange.path,
      url: exchange.requestUrl,
      authority: exchange.authority ?? '-',
      httpVersion: connection.kind === 'h2' ? '2.0' : request.httpVersion,
      userAgent: request.headers['user-agent'],
      rule: exchange.rule,
      action: exchange.action?.type,
      redirectUrl: exchange.redirectUrl,
      targetGroup: exchange.targetGroup,
      target: target?.id,
      targetAddress: target && toAddress(target),
      status,
      targetStatus: exchange.targetStatus,
      receivedBytes,
      sentBytes,
      startedAt,
      routedAt: exchange.routedAt,
      answeredAt: exchange.answeredAt,
      durationMs: at - startedAt,
      traceId: exchange.traceId,
      connectionTraceId: connection.traceId,
      tls: connection.tls,
      isFailOpen: exchange.isFailOpen,
      isNonSticky: exchange.isNonSticky,
      failure: exchange.failure,
      errorReason: exchange.errorReason,
      classification: exchange.classification,
      classificationReason: exchange.classificationReason,
      transformedHost: exchange.rewrite?.host,
      transformedUrl: exchange.rewrite?.url,
    },
  })
}

/** Says that something that was no request has been refused. */
export function recordMalformed(
  connection: Connection,
  status: number,
  { clock, events, verdict }: MalformedDeps,
): void {
  const at = clock.now()
  events.emit({
    type: 'alb.access',
    at,
    access: {
      ...NOTHING,
      kind: connection.kind,
      client: connection.name,
      node: connection.node,
      nodeAddress: connection.address,
      listenerPort: connection.port,
      status,
      ...takeBytes(connection),
      startedAt: at,
      connectionTraceId: connection.traceId,
      tls: connection.tls,
      isFailOpen: false,
      isNonSticky: false,
      failure: 'malformed-request',
      ...(verdict && verdict.tier !== 'Compliant' && toClassification(verdict)),
    },
  })
}

/** What a log says of a request that nobody could read. */
const NOTHING = {
  method: '-',
  host: '-',
  path: '-',
  url: '-',
  authority: '-',
  httpVersion: '-',
  userAgent: undefined,
  rule: undefined,
  action: undefined,
  redirectUrl: undefined,
  targetGroup: undefined,
  target: undefined,
  targetAddress: undefined,
  targetStatus: undefined,
  routedAt: undefined,
  answeredAt: undefined,
  durationMs: 0,
  traceId: '-',
  errorReason: undefined,
  classification: undefined,
  classificationReason: undefined,
  transformedHost: undefined,
  transformedUrl: undefined,
} as const

function toClassification({ tier, reason }: Verdict): Pick<AccessRecord, 'classification' | 'classificationReason'> {
  return { classification: tier === 'Compliant' ? undefined : tier, classificationReason: reason }
}

function toKind(kind: Connection['kind'], status: number): AccessRecord['kind'] {
  if (status !== 101) return kind
  return kind === 'http' ? 'ws' : 'wss'
}

function toAddress(target: Target): string | undefined {
  return target.kind === 'network' ? `${target.host}:${target.port}` : undefined
}
