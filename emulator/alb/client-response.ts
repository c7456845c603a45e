import { type IncomingMessage, type OutgoingHttpHeaders, type Server, ServerResponse } from 'node:http'
import type { Exchange } from './exchange.ts'
import { explanationHeaders } from './explain/explanation.ts'

/** Node's HTTP server with the balancer's answers. */
export type ClientServer = Server<typeof IncomingMessage, typeof ClientResponse>

type Headers = OutgoingHttpHeaders | readonly (string | number | readonly string[])[]

/**
 * The answer to a client, written by a target or by the balancer. Between a target and the client ends what is about their
 * connections alone: a program that wants its own closed does not close the client's.
 */
export class ClientResponse extends ServerResponse {
  /** Known as soon as the request is on its way. */
  exchange: Exchange | undefined
  /** Whether the balancer writes it: no cookies, no status of a target. */
  isOwn = false

  override setHeader(name: string, value: number | string | readonly string[]): this {
    return isHopByHop(name) ? this : super.setHeader(name, value)
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    return isHopByHop(name) ? this : super.appendHeader(name, value)
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    const { exchange } = this
    const last = rest.length - 1
    let headers = rest[last] as Headers | string | undefined
    if (headers !== undefined && typeof headers !== 'string' && !this.isOwn) headers = withoutHopByHop(headers)
    if (exchange && !this.isOwn) {
      exchange.targetStatus = status
      exchange.answeredAt ??= exchange.now()
      const application = exchange.registration?.applicationCookie
      const isSet = application !== undefined && hasCookie(headers, this.getHeader('set-cookie'), application.name)
      const cookies = isSet ? [...(exchange.setCookies ?? []), application.seal()] : exchange.setCookies
      if (cookies) headers = this.#withCookies(headers, cookies)
    }
    if (exchange?.explained) {
      for (const [name, value] of explanationHeaders(exchange, exchange.explained, status)) super.setHeader(name, value)
    }
    if (headers === undefined) return super.writeHead(status)
    if (typeof headers === 'string') return super.writeHead(status, headers)
    const reason = typeof rest[0] === 'string' ? rest[0] : undefined
    return super.writeHead(status, reason, headers as OutgoingHttpHeaders)
  }

  /** A short answer, head and all, leaves in one write; Node gathers it with an empty one, which costs as much again. */
  override end(...parts: unknown[]): this {
    const connection = this.exchange?.connection
    const isWhole = typeof parts[0] === 'string' && this.headersSent && !this.chunkedEncoding
    if (!connection || !isWhole) return super.end(...(parts as []))
    connection.writesWhole = true
    try {
      return super.end(...(parts as []))
    } finally {
      connection.writesWhole = false
    }
  }

  #withCookies(headers: Headers | string | undefined, cookies: readonly string[]): Headers | string | undefined {
    if (headers === undefined || typeof headers === 'string') {
      // A new list: the one there may be the program's own, and would grow with every answer.
      super.setHeader('Set-Cookie', [...[this.getHeader('set-cookie') ?? []].flat().map(String), ...cookies])
      return headers
    }
    if (isArray(headers)) {
      const pairs = cookies.map((cookie) => ['Set-Cookie', cookie])
      return [...headers, ...(isArray(headers[0]) ? pairs : pairs.flat())]
    }
    const merged: OutgoingHttpHeaders = {}
    const all: string[] = []
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() === 'set-cookie') all.push(...[value ?? []].flat().map(String))
      else merged[name] = value
    }
    return { ...merged, 'Set-Cookie': [...all, ...cookies] }
  }
}

/** Whether the target sets a cookie of that name. */
function hasCookie(headers: Headers | string | undefined, before: unknown, name: string): boolean {
  const values = [before].flat()
  if (isArray(headers)) {
    const flat = isArray(headers[0]) ? headers.flat() : headers
    for (let index = 0; index < flat.length; index += 2) if (isSetCookie(flat[index])) values.push(flat[index + 1])
  } else if (typeof headers === 'object') {
    for (const [key, value] of Object.entries(headers)) if (isSetCookie(key)) values.push(...[value].flat())
  }
  return values.flat().some((value) => typeof value === 'string' && value.startsWith(`${name}=`))
}

function isSetCookie(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'set-cookie'
}

/** What is about one connection alone (RFC 9110 §7.6.1). Lengths first: most names end there. */
function isHopByHop(name: string): boolean {
  const { length } = name
  if (length !== 7 && length !== 10 && length !== 16) return false
  const key = name.toLowerCase()
  return key === 'connection' || key === 'keep-alive' || key === 'upgrade' || key === 'proxy-connection'
}

function withoutHopByHop(headers: Headers): Headers {
  if (isArray(headers)) return withoutHopByHopPairs(headers)
  for (const name in headers) {
    if (!isHopByHop(name)) continue
    return Object.fromEntries(Object.entries(headers).filter(([key]) => !isHopByHop(key)))
  }
  return headers
}

/** Names and values in turn, or pairs of them. */
function withoutHopByHopPairs(
  headers: readonly (string | number | readonly string[])[],
): readonly (string | number | readonly string[])[] {
  const isFlat = !isArray(headers[0])
  const step = isFlat ? 2 : 1
  const nameAt = (index: number): string => String(isFlat ? headers[index] : (headers[index] as readonly string[])[0])
  let kept: (string | number | readonly string[])[] | undefined
  for (let index = 0; index < headers.length; index += step) {
    if (isHopByHop(nameAt(index))) kept ??= headers.slice(0, index)
    else kept?.push(...headers.slice(index, index + step))
  }
  return kept ?? headers
}

/** `Array.isArray` that knows of readonly arrays. */
function isArray(value: unknown): value is readonly (string | number | readonly string[])[] {
  return Array.isArray(value)
}
