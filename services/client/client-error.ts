import { parseObject } from './json.ts'
import { toLine } from './one-line.ts'

/** Why a command of the client did not get what it asked for: one line, ready to print. */
export class ClientError extends Error {
  /** HTTP status, when the server answered. */
  readonly status: number | undefined
  /** The server's name for the request, to find it in its log. */
  readonly requestId: string | undefined

  constructor(message: string, details: { status?: number; requestId?: string | undefined; cause?: unknown } = {}) {
    super(message, { cause: details.cause })
    this.name = 'ClientError'
    this.status = details.status
    this.requestId = details.requestId
  }
}

/** What the server refused with: its own words when the body is the API's JSON, else those of the page. */
export function refusal(status: number, body: string): ClientError {
  const { error, requestId } = readRefusal(body)
  const words = error ? `: ${error.replace(/\.$/, '')}` : ''
  const request = requestId ? ` (request ${requestId})` : ''
  return new ClientError(`The server answered ${status}${words}${request}.`, { status, requestId })
}

/** No answer at all. */
export function unreachable(url: string, cause: unknown): ClientError {
  return new ClientError(`No answer from ${url}: ${reasonOf(cause)}.`, { cause })
}

/** Longest part of an error page worth showing on one line. */
const MAX_PAGE_CHARACTERS = 160

function readRefusal(body: string): { error: string; requestId?: string } {
  const { error, request_id: requestId } = parseObject(body)
  if (typeof error === 'string') {
    return { error: toLine(error), ...(typeof requestId === 'string' && { requestId: toLine(requestId) }) }
  }
  // A balancer answers with a page of its own, whose title says it all.
  const page = /<title>([^<]*)<\/title>/i.exec(body)?.[1] ?? body.replaceAll(/<[^>]*>/g, ' ')
  return { error: toLine(page).slice(0, MAX_PAGE_CHARACTERS) }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  UND_ERR_HEADERS_TIMEOUT: 'it took too long',
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return toLine(String(cause))
  const code = 'code' in cause ? String(cause.code) : ''
  return REASONS[code] ?? (toLine(cause.message || code).replace(/\.$/, '') || cause.name)
}
