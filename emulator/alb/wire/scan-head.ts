/** What a first look at the bytes of a request's head says. */
export interface ScannedHead {
  /** Behind the empty line; -1 while that has not come. */
  readonly end: number
  /** Plain enough for any parser: nothing to classify, no body, no other protocol. */
  readonly isOrdinary: boolean
}

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const STAR = 0x2a
const SLASH = 0x2f
const COLON = 0x3a
const DELETE = 0x7f
const LOWER_CASE = 0x20

/** Those that need no second look, up to the path. */
const PLAIN_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'].map((name) =>
  Buffer.from(`${name} `, 'latin1'),
)

const PLAIN_VERSION = Buffer.from(' HTTP/1.1', 'latin1')
/** The shortest of the names that say how a body ends. */
const SHORTEST_FRAMING_NAME = 'content-length'.length - 1
const UPGRADE_LENGTH = 'upgrade'.length

const IS_TOKEN = tableOf("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

/**
 * Looks for the end of a head that begins at `start`, byte by byte: for a usual request it costs less than its text
 * would.
 */
export function scanHead(bytes: Buffer, start: number): ScannedHead {
  let isOrdinary = true
  let lineStart = start
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte >= SPACE && byte < DELETE) continue
    if (byte !== LF) {
      // A CR at the end of the bytes is judged when the rest has come.
      const isLineEnd = byte === CR && (bytes[at + 1] ?? LF) === LF
      if (!isLineEnd && byte !== TAB) isOrdinary = false
      continue
    }
    const hasCr = at > lineStart && bytes[at - 1] === CR
    const lineEnd = hasCr ? at - 1 : at
    if (!hasCr) isOrdinary = false
    if (lineEnd === lineStart) return { end: at + 1, isOrdinary }
    if (isOrdinary) {
      const isFirst = lineStart === start
      isOrdinary = isFirst ? isPlainRequestLine(bytes, start, lineEnd) : isPlainField(bytes, lineStart, lineEnd)
    }
    lineStart = at + 1
  }
  return { end: -1, isOrdinary: false }
}

/** `METHOD /target HTTP/1.1`, with upper-case letters and one space each. */
function isPlainRequestLine(bytes: Buffer, start: number, end: number): boolean {
  const method = PLAIN_METHODS.find((each) => isAt(bytes, start, each))
  if (!method) return false
  const first = bytes[start + method.length]
  if (first !== SLASH && first !== STAR) return false
  const targetEnd = end - PLAIN_VERSION.length
  if (!isAt(bytes, targetEnd, PLAIN_VERSION)) return false
  for (let at = start + method.length; at < targetEnd; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte <= SPACE) return false
  }
  return true
}

/** A loop: a call of Node's own comparison costs more than so few bytes. */
function isAt(bytes: Buffer, start: number, wanted: Buffer): boolean {
  for (let index = 0; index < wanted.length; index += 1) if (bytes[start + index] !== wanted[index]) return false
  return true
}

/** A name that is a token and none of those that this reader must understand, then a colon. */
function isPlainField(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end && IS_TOKEN[bytes[at] ?? 0] === 1) at += 1
  const length = at - start
  if (length === 0 || bytes[at] !== COLON) return false
  const first = (bytes[start] ?? 0) | LOWER_CASE
  if (length === UPGRADE_LENGTH) return first !== 0x75
  if (length < SHORTEST_FRAMING_NAME) return true
  // `content…` and `transfer…`, and what begins with no letter at all.
  const second = (bytes[start + 1] ?? 0) | LOWER_CASE
  if (first === 0x63) return second !== 0x6f
  if (first === 0x74) return second !== 0x72
  return first >= 0x61 && first <= 0x7a
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.codePointAt(0) ?? 0] = 1
  return table
}
