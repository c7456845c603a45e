/** A request in its plainest form, as SDKs send them to a queue. */
export interface PlainRequest {
  /** The header X-Amz-Target. */
  readonly target: string | undefined
  readonly host: string
  readonly body: string
  /** Where the next request begins. */
  readonly end: number
}

/** That of node:http, after which it answers 431. */
const MAX_HEAD_BYTES = 16 * 1024
const START = 'POST / HTTP/1.1\r\n'
const LINE_END = '\r\n'
const HEAD_END = '\r\n\r\n'
/** Fields of RFC 9110, a line each: a token, a colon, visible ASCII. */
const FIELDS = /^(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e]*\r\n)+$/
const LENGTH = /^\d{1,9}$/
/** Fields that change how a message is read, whatever they say. */
const NOT_PLAIN: ReadonlySet<string> = new Set(['expect', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/**
 * The request that `bytes` begin with: POST to `/` with a Content-Length and nothing that changes how a message is read.
 * Undefined when it is any other, malformed or not whole: those are for a reader that knows all of HTTP.
 */
export function readPlainRequest(bytes: Buffer): PlainRequest | undefined {
  const headEnd = bytes.indexOf(HEAD_END, 0, 'latin1')
  if (headEnd < 0 || headEnd > MAX_HEAD_BYTES) return undefined
  const head = bytes.toString('latin1', 0, headEnd + LINE_END.length)
  if (!head.startsWith(START)) return undefined
  const fields = readFields(head.slice(START.length))
  if (fields?.host === undefined || fields.length === undefined) return undefined
  const bodyStart = headEnd + HEAD_END.length
  const end = bodyStart + fields.length
  if (end > bytes.length) return undefined
  return { target: fields.target, host: fields.host, body: bytes.toString('utf8', bodyStart, end), end }
}

interface Fields {
  host: string | undefined
  target: string | undefined
  length: number | undefined
}

/** @param lines each with its end. @returns undefined when a field is malformed, given twice, or not plain */
function readFields(lines: string): Fields | undefined {
  if (!FIELDS.test(lines)) return undefined
  const fields: Fields = { host: undefined, target: undefined, length: undefined }
  let lineEnd: number
  for (let at = 0; at < lines.length; at = lineEnd + LINE_END.length) {
    const colon = lines.indexOf(':', at)
    lineEnd = lines.indexOf(LINE_END, colon)
    // A name of another length is none of those below: there are many.
    if (!LENGTHS.has(colon - at)) continue
    const name = lines.slice(at, colon).toLowerCase()
    if (!KNOWN.has(name)) continue
    const value = lines.slice(colon + 1, lineEnd).trim()
    if (NOT_PLAIN.has(name) || !readField(fields, name, value)) return undefined
  }
  return fields
}

const KNOWN: ReadonlySet<string> = new Set(['host', 'x-amz-target', 'content-length', 'connection', ...NOT_PLAIN])
const LENGTHS: ReadonlySet<number> = new Set([...KNOWN].map((name) => name.length))

/** @returns whether the request is still plain. */
function readField(fields: Fields, name: string, value: string): boolean {
  switch (name) {
    case 'host':
      if (fields.host !== undefined) return false
      fields.host = value
      return true
    case 'x-amz-target':
      if (fields.target !== undefined) return false
      fields.target = value
      return true
    case 'content-length':
      if (fields.length !== undefined || !LENGTH.test(value)) return false
      fields.length = Number(value)
      return true
    default:
      return name === 'connection' && value.toLowerCase() === 'keep-alive'
  }
}
