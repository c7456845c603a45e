import type { IncomingMessage } from 'node:http'
import type { Connection } from './connection.ts'
import type { RequestFacts } from './rules/rules.ts'
import type { Registration } from './targets/target-group.ts'

/** A request on its way through the balancer, with what the access log will say of it. */
export interface Exchange extends RequestFacts {
  readonly request: IncomingMessage
  readonly connection: Connection
  readonly startedAt: number
  /** As sent, whatever is rewritten on the way to the target. */
  readonly requestUrl: string
  /** The `Host` header as sent. */
  readonly authority: string | undefined
  /** Whether a developer on this machine has asked to be told how the answer came about. */
  readonly isExplained: boolean
  /** Undefined until a rule has matched, and for requests refused before. */
  rule: number | 'default' | undefined
  targetGroup: string | undefined
  registration: Registration | undefined
  traceId: string
  /** When the request went to its target, on the balancer's clock. */
  routedAt: number | undefined
  /** When the target's answer began; undefined where nobody saw it begin. */
  answeredAt: number | undefined
  /** What the target answered, 101 included. */
  targetStatus: number | undefined
  /** Why the balancer answered itself. */
  failure: Failure | undefined
  /** The log's `error_reason`, in AWS's own names. */
  errorReason: string | undefined
  /** Of a request that breaks a rule of HTTP (aws-behaviour §1.11). */
  classification: 'Acceptable' | 'Ambiguous' | 'Severe' | undefined
  classificationReason: string | undefined
}

/** Why there is an answer that no target gave. */
export type Failure =
  | 'no-targets'
  | 'target-gone'
  | 'target-refused'
  | 'target-closed'
  | 'target-timeout'
  | 'target-threw'
  | 'connect-timeout'
  | 'malformed-response'
  | 'response-too-large'
  | 'deregistration-delay'
  | 'desync'
  | 'malformed-request'
  | 'too-long'
  | 'idle-timeout'
  | 'client-left'

export function openExchange(request: IncomingMessage, connection: Connection, nowMs: number): Exchange {
  const { headers, method = '-', url = '' } = request
  return {
    request,
    connection,
    startedAt: nowMs,
    requestUrl: url,
    authority: headers.host,
    isExplained: headers['x-aldea-explain'] === '1' && isLoopback(connection.client),
    method,
    host: toHostName(headers.host),
    path: toPath(url),
    headers,
    rule: undefined,
    targetGroup: undefined,
    registration: undefined,
    traceId: '-',
    routedAt: undefined,
    answeredAt: undefined,
    targetStatus: undefined,
    failure: undefined,
    errorReason: undefined,
    classification: undefined,
    classificationReason: undefined,
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
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
