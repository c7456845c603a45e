import { type ChunkedReader, createChunkedReader } from '../wire/chunked.ts'

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
  /** The answer is whole. `rest` is what the target sent behind it; for 101 the first bytes of the other protocol. */
  onEnd(trailers: readonly string[], rest: Buffer): void
}

export interface ResponseReader {
  /** @throws MalformedResponseError, ResponseTooLargeError, or MalformedChunkError for a body that breaks the coding */
  read(bytes: Buffer): void
  /** The target has closed its side. Returns whether the answer is whole. */
  end(): boolean
}

class MalformedResponseError extends Error {}

export class ResponseTooLargeError extends Error {}

/** aws-behaviour §1.12. */
const MAX_HEAD_BYTES = 32 * 1024
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/
const HEADER_LINE = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/
const DIGITS = /^\d{1,15}$/
const NOTHING = Buffer.alloc(0)
const NO_TRAILERS: readonly string[] = []

/** Reads one answer to a request with `method` (RFC 9112 §6.3). */
export function createResponseReader(method: string, taker: ResponseTaker): ResponseReader {
  let held: Buffer | undefined
  let state: 'head' | 'length' | 'chunked' | 'until-close' | 'done' = 'head'
  let left = 0
  let chunked: ChunkedReader | undefined
  const take = (content: Buffer): void => taker.onBody(content)

  function readHead(bytes: Buffer): void {
    const all = held ? Buffer.concat([held, bytes]) : bytes
    const end = all.indexOf('\r\n\r\n', held ? Math.max(0, held.length - 3) : 0, 'latin1')
    if ((end === -1 ? all.length : end) > MAX_HEAD_BYTES) throw new ResponseTooLargeError('The head is over 32 KB.')
    held = end === -1 ? all : undefined
    if (end === -1) return
    const head = parseHead(all.toString('latin1', 0, end))
    const rest = all.subarray(end + 4)
    if (head.status < 200 && head.status !== 101) {
      taker.onInterim(head)
      if (rest.length > 0) readHead(rest)
      return
    }
    const framing = toFraming(head, method)
    taker.onHead(framing === 'until-close' ? { ...head, keepsAlive: false } : head)
    if (framing === 0) return finish(rest)
    if (typeof framing === 'number') {
      left = framing
      state = 'length'
    } else {
      state = framing
    }
    if (rest.length > 0) readBody(rest)
  }

  function readBody(bytes: Buffer): void {
    if (state === 'until-close') return taker.onBody(bytes)
    if (state === 'chunked') {
      chunked ??= createChunkedReader()
      const end = chunked.read(bytes, 0, take)
      if (chunked.isDone) finish(bytes.subarray(end))
      return
    }
    const content = bytes.length > left ? bytes.subarray(0, left) : bytes
    left -= content.length
    taker.onBody(content)
    if (left === 0) finish(bytes.subarray(content.length))
  }

  function finish(rest: Buffer): void {
    state = 'done'
    taker.onEnd(chunked?.trailers ?? NO_TRAILERS, rest)
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

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const [, minor, status, reason = ''] = STATUS_LINE.exec(statusLine) ?? []
  if (minor === undefined) throw new MalformedResponseError('The status line is malformed.')
  const rawHeaders: string[] = []
  let keepsAlive = minor === '1'
  for (const line of lines) {
    const [, name, value] = HEADER_LINE.exec(line) ?? []
    if (name === undefined || value === undefined) throw new MalformedResponseError('A header is malformed.')
    rawHeaders.push(name, value)
    if (name.length === 'connection'.length && name.toLowerCase() === 'connection') {
      const options = value.toLowerCase()
      if (options.includes('close')) keepsAlive = false
      else if (options.includes('keep-alive')) keepsAlive = true
    }
  }
  return { status: Number(status), reason, rawHeaders, keepsAlive }
}

/** Bytes of the body, or how its end is known. */
function toFraming({ status, rawHeaders }: ResponseHead, method: string): number | 'chunked' | 'until-close' {
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return 0
  let coding: string | undefined
  let length: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    if (name === 'transfer-encoding') coding = value.toLowerCase()
    if (name !== 'content-length') continue
    if (!DIGITS.test(value) || (length !== undefined && length !== value)) {
      throw new MalformedResponseError('The length is malformed.')
    }
    length = value
  }
  if (coding !== undefined) return coding === 'chunked' ? 'chunked' : 'until-close'
  return length === undefined ? 'until-close' : Number(length)
}
