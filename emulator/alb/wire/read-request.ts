import { METHODS } from 'node:http'
import { type Tier, type Verdict, classify, toFramingFields } from './desync.ts'
import { type Field, type RequestHead, parseRequestHead } from './request-head.ts'
import type { OwnStatus } from '../own-status.ts'

export type DesyncMode = 'monitor' | 'defensive' | 'strictest'

/** Bytes of a body, or the coding that shows its end. */
export type Framing = number | 'chunked'

/** What the balancer does with a request's head. */
export type ReadRequest =
  | { readonly status: OwnStatus; readonly verdict: Verdict }
  | {
      readonly status: undefined
      readonly verdict: Verdict
      readonly framing: Framing
      readonly isWebSocket: boolean
      /** The head in words that every parser reads alike; undefined when it already is. */
      readonly rewritten: string | undefined
      /** What the rewritten head could not say. */
      readonly method: string | undefined
      readonly target: string | undefined
      /** Both connections end with this request. */
      readonly closes: boolean
    }

const KNOWN_METHODS = new Set(METHODS)
/** Says as little about the body as a method nobody knows. */
const STAND_IN_METHOD = 'POST'
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i
/** An offer to leave HTTP/1.1, such as `h2c`, which a server is free to ignore (RFC 9110 §7.8). */
const UPGRADE_NAMES = new Set(['upgrade', 'http2-settings'])
const FRAMING_NAMES = new Set(['content-length', 'transfer-encoding'])

/** `text`: a head in latin1, up to and including its empty line. */
export function readRequest(text: string, mode: DesyncMode): ReadRequest {
  const head = parseRequestHead(text)
  const fields = toFramingFields(head)
  const verdict = classify(head, fields)
  const status = toStatus(head, verdict, mode)
  if (status !== undefined) return { status, verdict }
  const { lengths, codings } = fields
  if (codings.some((coding) => coding !== 'chunked' && coding !== 'identity')) return { status: 501, verdict }
  const framing = codings.includes('chunked') ? 'chunked' : Number(lengths[0] ?? 0)
  const isWebSocket = isWebSocketOffer(head, framing)
  const absolute = ABSOLUTE.exec(head.target)
  const target = absolute ? toOriginForm(absolute[2] ?? '') : head.target
  const isKnown = KNOWN_METHODS.has(head.method)
  const hasOffer = !isWebSocket && head.fields.some(({ name }) => name.toLowerCase() === 'upgrade')
  const isAsIs = verdict.tier === 'Compliant' && isKnown && !absolute && !hasOffer && !codings.includes('identity')
  return {
    status: undefined,
    verdict,
    framing,
    isWebSocket,
    rewritten: isAsIs ? undefined : rewrite(head, { target, framing, isWebSocket, host: absolute?.[1] }),
    method: isKnown ? undefined : head.method,
    target: isAsIs ? undefined : cleanTarget(target),
    closes: verdict.tier === 'Ambiguous' && mode === 'defensive',
  }
}

const REFUSED: Record<DesyncMode, ReadonlySet<Tier>> = {
  monitor: new Set(),
  defensive: new Set(['Severe']),
  strictest: new Set(['Acceptable', 'Ambiguous', 'Severe']),
}

function toStatus(
  { method, target, version }: RequestHead,
  { tier, reason }: Verdict,
  mode: DesyncMode,
): OwnStatus | undefined {
  if (/^HTTP\/(?!1\.)\d/.test(version)) return 505
  // Whatever the mode, without these nobody knows where the request ends or what it asks for.
  if (reason === 'BadContentLength' || !TOKEN.test(method) || target === '' || version === '') return 400
  if (REFUSED[mode].has(tier)) return 400
  // A tunnel is nothing that a balancer of requests has.
  return method === 'CONNECT' ? 405 : undefined
}

function isWebSocketOffer({ method, version, fields }: RequestHead, framing: Framing): boolean {
  if (method !== 'GET' || version !== 'HTTP/1.1' || framing !== 0) return false
  const valueOf = (wanted: string): string =>
    fields
      .filter(({ name, isFold }) => !isFold && name.toLowerCase() === wanted)
      .map(({ value }) => value.toLowerCase())
      .join(',')
  const options = valueOf('connection').split(',')
  return valueOf('upgrade') === 'websocket' && options.some((option) => option.trim() === 'upgrade')
}

function toOriginForm(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`
}

interface Rewriting {
  readonly target: string
  readonly framing: Framing
  readonly isWebSocket: boolean
  /** Of an absolute target: it counts, `Host` does not. */
  readonly host: string | undefined
}

function rewrite(head: RequestHead, { target, framing, isWebSocket, host }: Rewriting): string {
  const method = KNOWN_METHODS.has(head.method) ? head.method : STAND_IN_METHOD
  const lines = [`${method} ${encodeTarget(target)} ${head.version.trim() === 'HTTP/1.0' ? 'HTTP/1.0' : 'HTTP/1.1'}`]
  if (host !== undefined) lines.push(`Host: ${host}`)
  for (const field of head.fields) {
    const name = toFieldName(field)
    if (name === undefined) continue
    const key = name.toLowerCase()
    if (FRAMING_NAMES.has(key) || (key === 'host' && host !== undefined)) continue
    if (!isWebSocket && UPGRADE_NAMES.has(key)) continue
    const value = isWebSocket || key !== 'connection' ? field.value : withoutOffer(field.value)
    lines.push(`${name}: ${value.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ')}`)
  }
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked')
  else if (framing > 0 || head.fields.some(({ name }) => name.toLowerCase() === 'content-length')) {
    lines.push(`Content-Length: ${framing}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}

function withoutOffer(connection: string): string {
  const options = connection.split(',').map((option) => option.trim())
  return options.filter((option) => !UPGRADE_NAMES.has(option.toLowerCase())).join(', ')
}

/**
 * The name that a parser takes; undefined when there is none. The continuation of a line is a header of its own, to whose
 * name a colon is added (aws-behaviour §1.9), but never one that says how long the body is.
 */
function toFieldName({ name, isFold }: Field): string | undefined {
  if (!isFold) return TOKEN.test(name) ? name : undefined
  const trimmed = name.trim()
  return TOKEN.test(trimmed) && !FRAMING_NAMES.has(trimmed.toLowerCase()) ? trimmed : undefined
}

/** What no parser takes in a target, percent-encoded: until the request has been read. */
function encodeTarget(target: string): string {
  return target.replace(/[^\x21-\x7e\x80-\xff]/g, encodeByte)
}

/** As sent, but for the two bytes that would end the line for some readers. */
function cleanTarget(target: string): string {
  // oxlint-disable-next-line no-control-regex
  return target.replace(/[\0\r]/g, encodeByte)
}

function encodeByte(character: string): string {
  return `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0')}`
}
