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

/** Meant for the balancer, not for the target (RFC 9110 §7.6.1). `Expect` was answered by the balancer itself. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'expect'] as const

/**
 * Turns the request's headers into those that the target gets (aws-behaviour §1.9), in place: a copy of the request
 * would cost more than all the rest of the balancer.
 */
export function rewriteHeaders(request: IncomingMessage, forwarding: Forwarding): void {
  const { headers } = request
  const { host } = headers
  if (host !== undefined) {
    const wanted = toTargetHost(host, forwarding.listenerPort)
    if (wanted !== host) setHeader(request, 'Host', wanted)
  }
  if (!forwarding.isUpgrade) dropHopByHop(request)

  const before = headers['x-forwarded-for']
  const hops = typeof before === 'string' && before !== '' ? `${before}, ${forwarding.client}` : forwarding.client
  setHeader(request, 'X-Forwarded-For', hops)
  setHeader(request, 'X-Forwarded-Proto', PROTOCOL)
  setHeader(request, 'X-Forwarded-Port', String(forwarding.listenerPort))
  setHeader(request, 'X-Amzn-Trace-Id', forwarding.traceId)
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

function dropHopByHop(request: IncomingMessage): void {
  const { connection } = request.headers
  if (connection !== undefined && connection !== 'keep-alive' && connection !== 'close') {
    for (const named of connection.toLowerCase().split(',')) removeHeader(request, named.trim())
  }
  for (const name of HOP_BY_HOP) removeHeader(request, name)
}

function setHeader(request: IncomingMessage, name: string, value: string): void {
  const key = name.toLowerCase()
  removeHeader(request, key)
  request.headers[key] = value
  request.rawHeaders.push(name, value)
}

function removeHeader(request: IncomingMessage, key: string): void {
  const { headers, rawHeaders } = request
  if (headers[key] === undefined) return
  delete headers[key]
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    const name = rawHeaders[index]
    if (name?.length === key.length && name.toLowerCase() === key) rawHeaders.splice(index, 2)
  }
}
