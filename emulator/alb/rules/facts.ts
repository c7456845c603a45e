import type { IncomingHttpHeaders } from 'node:http'

/** What rules look at. */
export interface RequestFacts {
  readonly method: string
  /** Lower case, without a port. */
  readonly host: string
  /** The `Host` header as sent. */
  readonly authority: string | undefined
  /** As sent, without the query: nothing in it is decoded or normalised. */
  readonly path: string
  /** As sent, without its question mark; empty when there is none. */
  readonly query: string
  readonly headers: IncomingHttpHeaders
  /** Address of the TCP peer, whatever `X-Forwarded-For` claims. */
  readonly client: string
}

export interface SentRequest {
  readonly method: string
  /** The request target: path and query. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  readonly client: string
}

export function toFacts({ method, url, headers, client }: SentRequest): RequestFacts {
  const { host } = headers
  return { method, host: toHostName(host), authority: host, path: toPath(url), query: toQuery(url), headers, client }
}

/** The name in a `Host` header. */
export function toHostName(host: string | undefined): string {
  if (host === undefined) return ''
  const colon = host.lastIndexOf(':')
  // The colons of a bracketed IPv6 address are not the one before a port.
  const name = colon === -1 || host.endsWith(']') ? host : host.slice(0, colon)
  return name.toLowerCase()
}

export function toPath(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? url : url.slice(0, mark)
}

export function toQuery(url: string): string {
  const mark = url.indexOf('?')
  return mark === -1 ? '' : url.slice(mark + 1)
}
