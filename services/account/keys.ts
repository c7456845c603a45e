import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** How a key is stored: SHA-256 in hex. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/**
 * The well-formed keys a request presents, in the Authorization header and among the WebSocket subprotocols. Where
 * both are given either may be the good one (aldea-api §2.2).
 */
export function keysFrom(headers: IncomingHttpHeaders): string[] {
  const [, fromHeader] = /^(?:bearer|token) +(\S+)$/i.exec(headers.authorization?.trim() ?? '') ?? []
  const [scheme = '', fromProtocol] = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  const presented = [fromHeader, isScheme(scheme) ? fromProtocol : undefined]
  return presented.filter((key): key is string => key !== undefined && KEY.test(key))
}

/**
 * The subprotocol to select: the first one offered, when it only says how the key is given. The key itself is never
 * echoed. Clients in browsers abort when none of their offers is selected.
 */
export function selectProtocol(offered: Iterable<string>): string | false {
  const [first] = offered
  return first !== undefined && isScheme(first) ? first : false
}

/** `org_` and URL-safe characters; the bound keeps nonsense out of Redis. */
const KEY = /^org_[\w-]{1,256}$/

function isScheme(name: string): boolean {
  return ['token', 'bearer'].includes(name.toLowerCase())
}
