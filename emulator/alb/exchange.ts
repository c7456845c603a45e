import type { IncomingMessage } from 'node:http'
import type { Connection } from './connection.ts'
import type { RequestFacts } from './rules/rules.ts'
import type { Registration } from './targets/target-group.ts'

/** A request on its way through the balancer, with what the access log will say of it. */
export interface Exchange extends RequestFacts {
  readonly request: IncomingMessage
  readonly connection: Connection
  readonly startedAt: number
  /** Undefined until a rule has matched, and for requests refused before. */
  rule: number | 'default' | undefined
  targetGroup: string | undefined
  registration: Registration | undefined
  traceId: string
}

export function openExchange(request: IncomingMessage, connection: Connection, nowMs: number): Exchange {
  const { headers, method = '-', url = '' } = request
  return {
    request,
    connection,
    startedAt: nowMs,
    method,
    host: toHostName(headers.host),
    path: toPath(url),
    headers,
    rule: undefined,
    targetGroup: undefined,
    registration: undefined,
    traceId: '-',
  }
}

function toHostName(host: string | undefined): string {
  if (host === undefined) return ''
  const colon = host.lastIndexOf(':')
  // The colons of a bracketed IPv6 address are not the one before a port.
  const name = colon === -1 || host.endsWith(']') ? host : host.slice(0, colon)
  return name.toLowerCase()
}

function toPath(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
