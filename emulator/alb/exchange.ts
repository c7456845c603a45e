import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Connection } from './connection.ts'
import type { Explained } from './explain/explained.ts'
import type { Failure } from './failure.ts'
import type { Action } from './model.ts'
import { type RequestFacts, toHostName, toPath, toQuery } from './rules/facts.ts'
import type { Rewrite } from './rules/transforms.ts'
import type { Registration } from './targets/member.ts'
import type { PickNotes } from './targets/routing.ts'

/** A request on its way through the balancer, with what the access log will say of it. */
export interface Exchange extends RequestFacts, PickNotes {
  readonly request: IncomingMessage
  readonly connection: Connection
  readonly startedAt: number
  /** The balancer's clock. */
  readonly now: () => number
  /** As sent, whatever is rewritten on the way to the target. */
  readonly requestUrl: string
  /** Where a developer on this machine has asked to be told how the answer came about. */
  readonly explained: Explained | undefined
  /** Undefined until a rule has matched, and for requests refused before. */
  rule: number | 'default' | undefined
  /** What the rule says. */
  action: Action | undefined
  /** The `Location` of a redirect. */
  redirectUrl: string | undefined
  /** What the rule rewrites on the way to the target. */
  rewrite: Rewrite | undefined
  /** Values of `Set-Cookie` that the answer gets besides the target's own. */
  setCookies: string[] | undefined
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
  /** Both connections end with it. */
  closes: boolean
}

export function openExchange(request: IncomingMessage, connection: Connection, now: () => number): Exchange {
  const { headers, method = '-', url = '' } = request
  return {
    request,
    connection,
    // A request begins as soon as its last byte has been read, which is right before.
    startedAt: connection.front ? connection.lastActiveAt : now(),
    now,
    requestUrl: url,
    authority: headers.host,
    explained: headers['x-aldea-explain'] === '1' ? openExplained(headers, connection) : undefined,
    method,
    host: toHostName(headers.host),
    path: toPath(url),
    query: toQuery(url),
    client: connection.client,
    headers,
    rule: undefined,
    action: undefined,
    redirectUrl: undefined,
    rewrite: undefined,
    setCookies: undefined,
    targetGroup: undefined,
    registration: undefined,
    traceId: '-',
    routedAt: undefined,
    answeredAt: undefined,
    targetStatus: undefined,
    isFailOpen: false,
    isNonSticky: false,
    failure: undefined,
    errorReason: undefined,
    classification: undefined,
    classificationReason: undefined,
    closes: false,
  }
}

/** Whoever is not on this machine is told nothing of what is behind the balancer. */
function openExplained(headers: IncomingHttpHeaders, { client }: Connection): Explained | undefined {
  if (!isLoopback(client)) return undefined
  return { received: { ...headers }, rules: [], node: undefined, routing: undefined }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
