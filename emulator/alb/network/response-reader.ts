import { type ChunkedReader, createChunkedReader } from '../wire/chunked.ts'
import { parseFieldLines } from '../wire/field-lines.ts'

/** The head of a target's answer. */
export interface ResponseHead {
  readonly status: number
  readonly reason: string
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[]
  /** Whether the target means to take another request over this connection. */
  readonly keepsAlive: boolean
}

export interface ResponseTaker {
  /** An interim answer: 100, 102, 103. */
  onInterim(head: ResponseHead): void
  onHead(head: ResponseHead): void
  onBody(content: Buffer): void
  /** Instead of `onBody`, right before `onEnd`: all of a short body, in latin1. */
  onWhole(content: string): void
  /** The answer is whole. `rest` is what the target sent behind it; for 101 the first bytes of the other protocol. */
  onEnd(trailers: readonly string[], rest: Buffer): void
}

export interface ResponseReader {
  /**
   * `bytes` may be overwritten afterwards: what is kept of them is a copy.
   * @throws MalformedResponseError, ResponseTooLargeError, or MalformedChunkError for a body that breaks the coding
   */
  read(bytes: Buffer): void
  /** The target has closed its side. Returns whether the answer is whole. */
  end(): boolean
}

class MalformedResponseError extends Error {}

export class ResponseTooLargeError extends Error {}

/** aws-behaviour §1.12. */
const MAX_HEAD_BYTES = 32 * 1024
/** A longer one is passed on as the bytes that it is. */
const MAX_WHOLE_BYTES = 4 * 1024
const STATUS_LINE = /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/
const MINOR_VERSION_AT = 'HTTP/1.'.length
const STATUS_AT = 'HTTP/1.1 '.length
const REASON_AT = 'HTTP/1.1 200 '.length
const HEADER_LINES = /^(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/
const DIGITS = /^\d{1,15}$/
const NOTHING = Buffer.alloc(0)
const NO_TRAILERS: readonly string[] = []

/** Reads one answer to a request with `method` (RFC 9112 §6.3). */
export function createResponseReader(method: string, taker: ResponseTaker): ResponseReader {
  let held: Buffer | undefined
  let state: 'head' | 'length' | 'chunked' | 'until-close' | 'done' = 'head'
  let left = 0
  let chunked: ChunkedReader | undefined
  const take = (content: Buffer): void => taker.onBody(Buffer.from(content))

  function readHead(bytes: Buffer): void {
    const all = held ? Buffer.concat([held, bytes]) : bytes
    const end = all.indexOf('\r\n\r\n', held ? Math.max(0, held.length - 3) : 0, 'latin1')
    if ((end === -1 ? all.length : end) > MAX_HEAD_BYTES) throw new ResponseTooLargeError('The head is over 32 KB.')
    held = end === -1 ? Buffer.from(all) : undefined
    if (end === -1) return
    const head = parseHead(all.toString('latin1', 0, end + 2))
    const rest = all.subarray(end + 4)
    if (head.status < 200 && head.status !== 101) {
      taker.onInterim(head)
      if (rest.length > 0) readHead(rest)
      return
    }
    const framing = toFraming(head, method)
    taker.onHead(framing === 'until-close' ? { ...head, keepsAlive: false } : head)
    if (framing === 0) return finish(rest)
    if (framing === rest.length && framing <= MAX_WHOLE_BYTES) {
      taker.onWhole(rest.toString('latin1'))
      return finish(NOTHING)
    }
    if (typeof framing === 'number') {
      left = framing
      state = 'length'
    } else {
      state = framing
    }
    if (rest.length > 0) readBody(rest)
  }

  function readBody(bytes: Buffer): void {
    if (state === 'until-close') return take(bytes)
    if (state === 'chunked') {
      chunked ??= createChunkedReader()
      const end = chunked.read(bytes, 0, take)
      if (chunked.isDone) finish(bytes.subarray(end))
      return
    }
    const content = bytes.length > left ? bytes.subarray(0, left) : bytes
    left -= content.length
    take(content)
    if (left === 0) finish(bytes.subarray(content.length))
  }

  function finish(rest: Buffer): void {
    state = 'done'
    taker.onEnd(chunked?.trailers ?? NO_TRAILERS, rest.length > 0 ? Buffer.from(rest) : NOTHING)
  }

  return {
    read(bytes) {
      if (state === 'head') readHead(bytes)
      else if (state !== 'done') readBody(bytes)
    },
    end() {
      if (state === 'until-close') finish(NOTHING)
      return state === 'done'
    },
  }
}

/** `text`: up to the last line, with its CRLF, but without the empty one. */
function parseHead(text: string): ResponseHead {
  const lineEnd = text.indexOf('\r\n')
  const statusLine = text.slice(0, lineEnd)
  if (!STATUS_LINE.test(statusLine)) throw new MalformedResponseError('The status line is malformed.')
  if (!HEADER_LINES.test(text.slice(lineEnd + 2))) throw new MalformedResponseError('A header is malformed.')
  const rawHeaders = parseFieldLines(text, lineEnd + 2)
  let keepsAlive = statusLine[MINOR_VERSION_AT] === '1'
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== 'connection'.length || name.toLowerCase() !== 'connection') continue
    const options = rawHeaders[index + 1]?.toLowerCase() ?? ''
    if (options.includes('close')) keepsAlive = false
    else if (options.includes('keep-alive')) keepsAlive = true
  }
  const status = Number(statusLine.slice(STATUS_AT, STATUS_AT + 3))
  return { status, reason: statusLine.slice(REASON_AT), rawHeaders, keepsAlive }
}

/** Bytes of the body, or how its end is known. */
function toFraming({ status, rawHeaders }: ResponseHead, method: string): number | 'chunked' | 'until-close' {
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return 0
  let coding: string | undefined
  let length: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== 'content-length'.length && name.length !== 'transfer-encoding'.length) continue
    const key = name.toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    if (key === 'transfer-encoding') coding = value.toLowerCase()
    if (key !== 'content-length') continue
    if (!DIGITS.test(value) || (length !== undefined && length !== value)) {
      throw new MalformedResponseError('The length is malformed.')
    }
    length = value
  }
  if (coding !== undefined) return coding === 'chunked' ? 'chunked' : 'until-close'
  return length === undefined ? 'until-close' : Number(length)
}
