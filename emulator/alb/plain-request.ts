import type { IncomingMessage, Server } from 'node:http'
import type { Upgrade } from './forward-websocket.ts'

/** An offer to leave HTTP/1.1, which a server is free to ignore (RFC 9110 §7.8). */
const UPGRADE_HEADERS = new Set(['connection', 'upgrade', 'http2-settings'])

/**
 * Gives a request for an upgrade that the balancer does not know, such as the `h2c` that some clients offer with
 * every request, back to the server as the plain request it also is: head and body are read anew without the offer.
 */
export function readAsPlain(server: Server, { request, socket, head }: Upgrade): void {
  socket.unshift(Buffer.concat([Buffer.from(toHead(request), 'latin1'), head]))
  server.emit('connection', socket)
}

function toHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1]}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
