import { type ChunkedReader, createChunkedReader } from './chunked.ts'
import type { Verdict } from './desync.ts'
import { type PlainHead, readPlainHead } from './plain-head.ts'
import { type DesyncMode, readRequest } from './read-request.ts'
import { scanHead } from './scan-head.ts'
import type { OwnStatus } from '../own-status.ts'

/** What the parser behind cannot know of a request. */
export interface Mark {
  /** Of the request among those of its connection, from 1. */
  readonly index: number
  readonly verdict: Verdict
  readonly method: string | undefined
  readonly target: string | undefined
  /** Both connections end with this request. */
  readonly closes: boolean
}

export interface FrontDeps {
  readonly mode: DesyncMode
  /** The parser behind: it gets heads as a whole, and bytes that every parser reads alike. */
  feed(bytes: Buffer): void
  /** Instead of `feed`, a request that needs no parser; undefined where all do. */
  readonly take: ((head: PlainHead) => void) | undefined
  /** Comes before the request it is about. */
  mark(mark: Mark): void
  /** Nothing of the connection is read any more. `isBody`: in the middle of a request that has begun. */
  refuse(refusal: Refusal): void
  /** From here on the bytes are another protocol's; `feed` gets what has come of them. */
  leave(): void
}

export interface Refusal {
  readonly status: OwnStatus
  readonly verdict: Verdict | undefined
  readonly isBody: boolean
}

/** Reads everything that a client sends, before the HTTP parser does. */
export interface Front {
  read(chunk: Buffer): void
  /** Whether a head has begun that has not ended. */
  readonly isInHead: boolean
  /** Whether a body has begun that has not ended. */
  readonly isInBody: boolean
}

/** aws-behaviour §1.12. */
const MAX_REQUEST_LINE_BYTES = 16 * 1024
const MAX_HEAD_BYTES = 64 * 1024
/** Of method and version around a target that is just short enough. */
const REQUEST_LINE_MARGIN_BYTES = 128
/** What makes a parser refuse whatever follows. */
const MAY_CLOSE = /^(?:proxy-)?connection\b.*close|HTTP\/1\.0/im
const LF = 0x0a
const CR = 0x0d

/**
 * A compliant request passes as it is. What parsers could read in two ways is written anew, in one way, or refused, so
 * that no target ever sees another end of a request than the balancer did.
 */
export function createFront({ mode, feed, take, mark, refuse, leave }: FrontDeps): Front {
  let held: Buffer | undefined
  let state: 'head' | 'length' | 'chunked' | 'deaf' = 'head'
  let left = 0
  let chunked: ChunkedReader | undefined
  let closesAfterBody = false
  let requests = 0
  /** What the parser behind has read last may be the end of the connection: it alone can tell what may follow. */
  let needsParser = take === undefined
  /** Of the bytes at hand, what the parser behind has. */
  let fed = 0

  function read(chunk: Buffer): void {
    if (state === 'deaf') return
    if (held && !chunk.includes(LF) && held.length + chunk.length <= MAX_REQUEST_LINE_BYTES) {
      held = Buffer.concat([held, chunk])
      return
    }
    const bytes = held ? Buffer.concat([held, chunk]) : chunk
    held = undefined
    pass(bytes)
  }

  function flush(bytes: Buffer, end: number): void {
    if (end > fed) feed(fed === 0 && end === bytes.length ? bytes : bytes.subarray(fed, end))
    fed = end
  }

  /** Goes through `bytes`; what needs no change is fed in pieces as large as can be. */
  function pass(bytes: Buffer): void {
    let at = 0
    fed = 0

    while (at < bytes.length && state !== 'deaf') {
      if (state === 'length') {
        const end = Math.min(bytes.length, at + left)
        left -= end - at
        at = end
        if (left === 0) endBody()
        continue
      }
      if (state === 'chunked' && chunked) {
        try {
          at = chunked.read(bytes, at, ignore)
        } catch {
          flush(bytes, at)
          return stop({ status: 400, verdict: undefined, isBody: true })
        }
        if (chunked.isDone) endBody()
        continue
      }
      // Empty lines before a request line mean nothing (RFC 9112 §2.2).
      if (bytes[at] === CR || bytes[at] === LF) {
        flush(bytes, at)
        at += 1
        fed = at
        continue
      }
      const next = readHead(bytes, at)
      if (next === undefined) return
      at = next.end
      if (next.isReplaced) fed = at
    }
    flush(bytes, at)
  }

  /** Where the head at `at` ends; undefined when the rest of the bytes is done with. */
  function readHead(bytes: Buffer, at: number): { end: number; isReplaced: boolean } | undefined {
    const { end, isOrdinary } = scanHead(bytes, at)
    const length = (end === -1 ? bytes.length : end) - at
    const tooLong = toTooLong(bytes, at, length)
    if (tooLong !== undefined || end === -1) {
      flush(bytes, at)
      if (tooLong !== undefined) stop({ status: tooLong, verdict: undefined, isBody: false })
      else held = bytes.subarray(at)
      return undefined
    }
    requests += 1
    if (isOrdinary) {
      const plain = needsParser ? undefined : readPlainHead(bytes, at, end)
      needsParser ||= plain === undefined
      if (!plain) return { end, isReplaced: false }
      flush(bytes, at)
      take?.(plain)
      return { end, isReplaced: true }
    }

    const text = bytes.toString('latin1', at, end)
    needsParser ||= MAY_CLOSE.test(text)
    const request = readRequest(text, mode)
    const { verdict } = request
    if (request.status !== undefined) {
      flush(bytes, at)
      stop({ status: request.status, verdict, isBody: false })
      return undefined
    }
    const { rewritten, method, target, closes, framing } = request
    if (rewritten !== undefined) {
      flush(bytes, at)
      mark({ index: requests, verdict, method, target, closes })
    }
    if (request.isWebSocket) {
      flush(bytes, at)
      state = 'deaf'
      leave()
      const rest = bytes.subarray(rewritten === undefined ? at : end)
      feed(rewritten === undefined ? rest : Buffer.concat([Buffer.from(rewritten, 'latin1'), rest]))
      return undefined
    }
    if (rewritten !== undefined) feed(Buffer.from(rewritten, 'latin1'))
    closesAfterBody = closes
    if (framing === 'chunked') {
      chunked = createChunkedReader()
      state = 'chunked'
    } else {
      left = framing
      state = 'length'
      if (left === 0) endBody()
    }
    return { end, isReplaced: rewritten !== undefined }
  }

  function endBody(): void {
    chunked = undefined
    state = closesAfterBody ? 'deaf' : 'head'
  }

  function stop(refusal: Refusal): void {
    state = 'deaf'
    refuse(refusal)
  }

  return {
    read,
    get isInHead() {
      return held !== undefined
    },
    get isInBody() {
      return state === 'length' || state === 'chunked'
    },
  }
}

function ignore(): void {}

/** The answer to a head of `length` bytes so far; undefined while it is short enough. */
function toTooLong(bytes: Buffer, at: number, length: number): 400 | 414 | undefined {
  const most = MAX_REQUEST_LINE_BYTES + REQUEST_LINE_MARGIN_BYTES
  if (length <= most) return undefined
  const lineEnd = bytes.indexOf(LF, at)
  if (lineEnd === -1 || lineEnd - at > most) return 414
  return length > MAX_HEAD_BYTES ? 400 : undefined
}
