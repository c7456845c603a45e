import type { Clock } from '../../services/wire/clock.ts'
import type { EventStream } from '../core/events.ts'
import { type Connection, takeBytes } from './connection.ts'
import type { Exchange } from './exchange.ts'

export interface AccessDeps {
  readonly clock: Clock
  readonly events: EventStream
}

/** Says that an exchange is over. `status` is what the client got, or 460 when it left before. */
export function recordAccess(exchange: Exchange, status: number, { clock, events }: AccessDeps): void {
  const { connection, startedAt, method, host, path, rule, targetGroup, registration, traceId } = exchange
  const at = clock.now()
  const { receivedBytes, sentBytes } = takeBytes(connection)
  events.emit({
    type: 'alb.access',
    at,
    access: {
      kind: status === 101 ? 'ws' : 'http',
      client: connection.name,
      method,
      host,
      path,
      rule,
      targetGroup,
      target: registration?.target.id,
      status,
      receivedBytes,
      sentBytes,
      durationMs: at - startedAt,
      traceId,
    },
  })
}

/** Says that something that was no request has been refused. */
export function recordMalformed(connection: Connection, status: number, { clock, events }: AccessDeps): void {
  const at = clock.now()
  events.emit({
    type: 'alb.access',
    at,
    access: {
      kind: 'http',
      client: connection.name,
      method: '-',
      host: '-',
      path: '-',
      rule: undefined,
      targetGroup: undefined,
      target: undefined,
      status,
      ...takeBytes(connection),
      durationMs: 0,
      traceId: '-',
    },
  })
}
