import type { Exchange } from './exchange.ts'
import { explanationLines } from './explain/explanation.ts'

/**
 * The balancer's own lines for a 101, which is an answer like any other: cookies, and the explanation for whoever has
 * asked for one. Each ends with a line break. `head` is what the target has written, whose own cookie may call for one of
 * the balancer's.
 */
export function handshakeLines(exchange: Exchange, head: string): string {
  const { setCookies = [], registration } = exchange
  const application = registration?.applicationCookie
  const lines = setCookies.map((cookie) => `Set-Cookie: ${cookie}\r\n`)
  if (application && setsCookie(head, application.name)) lines.push(`Set-Cookie: ${application.seal()}\r\n`)
  return lines.join('') + explanationLines(exchange, exchange.targetStatus ?? 101)
}

/** What a target's program writes first, with the balancer's lines after its status line. */
export function withHandshakeLines(chunk: unknown, exchange: Exchange): unknown {
  const { setCookies, registration, explained } = exchange
  if (!setCookies && !registration?.applicationCookie && !explained) return chunk
  const text = Buffer.isBuffer(chunk) ? chunk.toString('latin1') : String(chunk)
  const end = text.indexOf('\r\n') + 2
  const lines = handshakeLines(exchange, text)
  const changed = text.slice(0, end) + lines + text.slice(end)
  return Buffer.isBuffer(chunk) ? Buffer.from(changed, 'latin1') : changed
}

function setsCookie(head: string, name: string): boolean {
  return head.split('\r\n').some((line) => {
    const [field = '', ...value] = line.split(':')
    return field.toLowerCase() === 'set-cookie' && value.join(':').trimStart().startsWith(`${name}=`)
  })
}
