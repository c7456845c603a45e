import type { Exchange } from './exchange.ts'

/**
 * The balancer's `Set-Cookie` lines for a 101, which is an answer like any other: each ends with a line break. `head` is
 * what the target has written, whose own cookie may call for one of the balancer's.
 */
export function handshakeCookieLines({ setCookies = [], registration }: Exchange, head: string): string {
  const application = registration?.applicationCookie
  const lines = setCookies.map((cookie) => `Set-Cookie: ${cookie}\r\n`)
  if (application && setsCookie(head, application.name)) lines.push(`Set-Cookie: ${application.seal()}\r\n`)
  return lines.join('')
}

/** What a target's program writes first, with the balancer's cookies after its status line. */
export function withHandshakeCookies(chunk: unknown, exchange: Exchange): unknown {
  if (exchange.setCookies === undefined && exchange.registration?.applicationCookie === undefined) return chunk
  const text = Buffer.isBuffer(chunk) ? chunk.toString('latin1') : String(chunk)
  const end = text.indexOf('\r\n') + 2
  const lines = handshakeCookieLines(exchange, text)
  const changed = text.slice(0, end) + lines + text.slice(end)
  return Buffer.isBuffer(chunk) ? Buffer.from(changed, 'latin1') : changed
}

function setsCookie(head: string, name: string): boolean {
  return head.split('\r\n').some((line) => {
    const [field = '', ...value] = line.split(':')
    return field.toLowerCase() === 'set-cookie' && value.join(':').trimStart().startsWith(`${name}=`)
  })
}
