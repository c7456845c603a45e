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

/**
 * The next field that matters, or the empty line, with all before it that do not. Names are tokens of RFC 9110, values
 * visible ASCII. Nothing here matches a field that changes how a message is read, but one that asks for what is so anyway.
 */
const NEXT = new RegExp(
  [
    String.raw`(?:connection:[ \t]*keep-alive[ \t]*\r\n`,
    String.raw`|(?!(?:host|x-amz-target|content-length|(?:proxy-)?connection|expect|upgrade|transfer-encoding):)`,
    String.raw`[\w!#$%&'*+.^${'`'}|~-]+:[\t\x20-\x7e]*\r\n)*`,
    String.raw`(?:host:[ \t]*([\x21-\x7e]+)[ \t]*\r\n`,
    String.raw`|x-amz-target:[ \t]*([\x21-\x7e]+)[ \t]*\r\n`,
    String.raw`|content-length:[ \t]*(\d{1,9})[ \t]*\r\n`,
    String.raw`|\r\n)`,
  ].join(''),
  'iy',
)

/** What of a head is needed to read and answer its request. */
interface Head {
  readonly target: string | undefined
  readonly host: string
  readonly bodyStart: number
  readonly end: number
}

/**
 * A reader of one connection's requests: it returns the one that `bytes` begin with, POST to `/` with a Content-Length
 * and nothing that changes how a message is read. Undefined when it is any other, malformed or not whole: those are for
 * a reader that knows all of HTTP.
 */
export function createPlainReader(): (bytes: Buffer) => PlainRequest | undefined {
  /** Of the last request. A client that signs nothing sends the same again, which is compared in a fifth of the time. */
  let head: Head | undefined
  const room = Buffer.allocUnsafeSlow(ROOM_BYTES)

  function headOf(bytes: Buffer): Head | undefined {
    if (head && bytes.length >= head.bodyStart && bytes.compare(room, 0, head.bodyStart, 0, head.bodyStart) === 0) {
      return head
    }
    const read = readHead(bytes)
    const isKept = read && read.bodyStart <= ROOM_BYTES
    head = isKept ? read : undefined
    if (isKept) bytes.copy(room, 0, 0, read.bodyStart)
    return read
  }

  return (bytes) => {
    const read = headOf(bytes)
    if (!read || read.end > bytes.length) return undefined
    const { target, host, bodyStart, end } = read
    return { target, host, body: bytes.toString('utf8', bodyStart, end), end }
  }
}

/** Longer heads are read each time. */
const ROOM_BYTES = 1024

/** The head that `bytes` begin with, when it is whole and plain. */
function readHead(bytes: Buffer): Head | undefined {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_HEAD_BYTES))
  if (!text.startsWith(START)) return undefined
  let host: string | undefined
  let target: string | undefined
  let length: string | undefined
  NEXT.lastIndex = START.length
  for (;;) {
    const field = NEXT.exec(text)
    if (!field) return undefined
    if (field[1] !== undefined) {
      if (host !== undefined) return undefined
      host = field[1]
    } else if (field[2] !== undefined) {
      if (target !== undefined) return undefined
      target = field[2]
    } else if (field[3] !== undefined) {
      if (length !== undefined) return undefined
      length = field[3]
    } else break
  }
  if (host === undefined || length === undefined) return undefined
  const bodyStart = NEXT.lastIndex
  return { target, host, bodyStart, end: bodyStart + Number(length) }
}
