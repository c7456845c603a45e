import type { IncomingMessage } from 'node:http'

export interface Forwarding {
  /** Address of the TCP peer. */
  readonly client: string
  readonly listenerPort: number
  readonly traceId: string
  /** Whether `Connection` and `Upgrade` go on to the target. */
  readonly isUpgrade: boolean
}

/** The listener's protocol; its default port is left out of `Host`. */
const PROTOCOL = 'http'
const DEFAULT_PORT = 80

/**
 * Turns the request's headers into those that the target gets (aws-behaviour §1.9), in place: a copy of the request
 * would cost more than all the rest of the balancer.
 */
export function rewriteHeaders(request: IncomingMessage, forwarding: Forwarding): void {
  const { headers } = request
  const { host } = headers
  if (host !== undefined) {
    const wanted = toTargetHost(host, forwarding.listenerPort)
    if (wanted !== host) setHeader(request, 'Host', 'host', wanted)
  }
  if (!forwarding.isUpgrade) dropHopByHop(request)

  const before = headers['x-forwarded-for']
  const hops = typeof before === 'string' && before !== '' ? `${before}, ${forwarding.client}` : forwarding.client
  setHeader(request, 'X-Forwarded-For', 'x-forwarded-for', hops)
  setHeader(request, 'X-Forwarded-Proto', 'x-forwarded-proto', PROTOCOL)
  setHeader(request, 'X-Forwarded-Port', 'x-forwarded-port', String(forwarding.listenerPort))
  setHeader(request, 'X-Amzn-Trace-Id', 'x-amzn-trace-id', forwarding.traceId)
}

/** Lower case, without the protocol's own port, with any other port of the listener. */
function toTargetHost(host: string, listenerPort: number): string {
  const name = host.toLowerCase()
  const colon = name.lastIndexOf(':')
  // The colons of a bracketed IPv6 address are not the one before a port.
  const hasPort = colon !== -1 && !name.endsWith(']')
  if (!hasPort) return listenerPort === DEFAULT_PORT ? name : `${name}:${listenerPort}`
  return Number(name.slice(colon + 1)) === DEFAULT_PORT ? name.slice(0, colon) : name
}

/**
 * Drops what is meant for the balancer, not for the target (RFC 9110 §7.6.1), and `Expect`, which the balancer has
 * answered. Written out, because looking names up in a list takes four times as long, for every request.
 */
function dropHopByHop(request: IncomingMessage): void {
  const { headers } = request
  const { connection } = headers
  if (connection !== undefined) {
    if (connection !== 'keep-alive' && connection !== 'close') dropNamed(request, connection)
    removeHeader(request, 'connection')
  }
  if (headers['keep-alive'] !== undefined) removeHeader(request, 'keep-alive')
  if (headers['proxy-connection'] !== undefined) removeHeader(request, 'proxy-connection')
  if (headers['te'] !== undefined) removeHeader(request, 'te')
  if (headers.upgrade !== undefined) removeHeader(request, 'upgrade')
  if (headers.expect !== undefined) removeHeader(request, 'expect')
}

function dropNamed(request: IncomingMessage, connection: string): void {
  for (const named of connection.toLowerCase().split(',')) removeHeader(request, named.trim())
}

/** `key` is `name` in lower case. */
function setHeader(request: IncomingMessage, name: string, key: string, value: string): void {
  const { headers, rawHeaders } = request
  if (headers[key] !== undefined) removeHeader(request, key)
  headers[key] = value
  rawHeaders.push(name, value)
}

function removeHeader(request: IncomingMessage, key: string): void {
  const { headers, rawHeaders } = request
  delete headers[key]
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    const name = rawHeaders[index]
    if (name?.length === key.length && name.toLowerCase() === key) rawHeaders.splice(index, 2)
  }
}
