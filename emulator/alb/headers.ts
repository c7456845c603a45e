import type { IncomingMessage } from 'node:http'
import type { ResolvedAttributes } from './attributes.ts'
import type { Connection } from './connection.ts'
import type { Rewrite } from './rules/transforms.ts'

export interface Forwarding {
  readonly connection: Connection
  readonly listenerPort: number
  readonly traceId: string
  /** Whether `Connection` and `Upgrade` go on to the target. */
  readonly isUpgrade: boolean
  readonly attributes: ResolvedAttributes
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const
const VALID_NAME = /^[-A-Za-z0-9]+$/

/**
 * Turns the request's headers into those that the target gets (aws-behaviour §1.9), in place: a copy of the request
 * would cost more than all the rest of the balancer.
 */
export function rewriteHeaders(request: IncomingMessage, forwarding: Forwarding): void {
  const { connection, listenerPort, attributes } = forwarding
  const protocol = connection.kind === 'http' ? 'http' : 'https'
  if (attributes.dropsInvalidHeaders) dropInvalid(request)
  if (!attributes.preservesHost) rewriteHost(request, forwarding, DEFAULT_PORTS[protocol])
  if (!forwarding.isUpgrade) dropHopByHop(request)
  rewriteForwardedFor(request, connection, attributes)
  setHeader(request, 'X-Forwarded-Proto', 'x-forwarded-proto', protocol)
  setHeader(request, 'X-Forwarded-Port', 'x-forwarded-port', String(listenerPort))
  setHeader(request, 'X-Amzn-Trace-Id', 'x-amzn-trace-id', forwarding.traceId)
  if (attributes.addsTlsHeaders && connection.tls) {
    setHeader(request, 'X-Amzn-Tls-Version', 'x-amzn-tls-version', connection.tls.protocol)
    setHeader(request, 'X-Amzn-Tls-Cipher-Suite', 'x-amzn-tls-cipher-suite', connection.tls.cipher)
  }
}

/** What a rule's transforms make of the request; a port of the host stays. */
export function applyRewrite(request: IncomingMessage, { host, url }: Rewrite): void {
  if (url !== undefined) request.url = url
  if (host === undefined) return
  const port = /:\d+$/.exec(request.headers.host ?? '')?.[0] ?? ''
  setHeader(request, 'Host', 'host', host.includes(':') ? host : host + port)
}

/** Of repeated ones the first stays; a client of HTTP/1.0 may send none. */
function rewriteHost(request: IncomingMessage, { connection, listenerPort }: Forwarding, defaultPort: number): void {
  const { rawHeaders } = request
  const host = request.headers.host ?? connection.address
  const wanted = toTargetHost(host, listenerPort, defaultPort)
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 'host'.length && name.toLowerCase() === 'host') count += 1
  }
  if (count !== 1 || wanted !== host) setHeader(request, 'Host', 'host', wanted)
}

/** Lower case, without the protocol's own port, with any other port of the listener. */
function toTargetHost(host: string, listenerPort: number, defaultPort: number): string {
  const name = host.toLowerCase()
  const colon = name.lastIndexOf(':')
  // The colons of a bracketed IPv6 address are not the one before a port.
  const hasPort = colon !== -1 && !name.endsWith(']')
  if (!hasPort) return listenerPort === defaultPort ? name : `${name}:${listenerPort}`
  return Number(name.slice(colon + 1)) === defaultPort ? name.slice(0, colon) : name
}

function rewriteForwardedFor(
  request: IncomingMessage,
  { client, socket }: Connection,
  { xffMode, addsClientPort }: ResolvedAttributes,
): void {
  if (xffMode === 'preserve') return
  const before = request.headers['x-forwarded-for']
  if (xffMode === 'remove') {
    if (before !== undefined) removeHeader(request, 'x-forwarded-for')
    return
  }
  const address = addsClientPort ? withPort(client, socket.remotePort) : client
  const hops = typeof before === 'string' && before !== '' ? `${before}, ${address}` : address
  setHeader(request, 'X-Forwarded-For', 'x-forwarded-for', hops)
}

function withPort(address: string, port: number | undefined): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function dropInvalid(request: IncomingMessage): void {
  const { headers, rawHeaders } = request
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    const name = rawHeaders[index] ?? ''
    if (VALID_NAME.test(name)) continue
    delete headers[name.toLowerCase()]
    rawHeaders.splice(index, 2)
  }
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

/** What tells the body's end, and for whom the request is, is the balancer's to drop, not the client's. */
const KEPT = new Set(['content-length', 'transfer-encoding', 'host'])

function dropNamed(request: IncomingMessage, connection: string): void {
  for (const named of connection.toLowerCase().split(',')) {
    const key = named.trim()
    if (!KEPT.has(key)) removeHeader(request, key)
  }
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
