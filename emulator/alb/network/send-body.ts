import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { discardBody } from '../discard-body.ts'
import { toTrailerLines } from './request-head.ts'

/** A request's body on its way to the target. */
export interface SentBody {
  /** Whether all of it is written. */
  readonly isWhole: boolean
  /** There is room for more. */
  resume(): void
  /** Nothing more is written; what the client still sends is thrown away. */
  stop(): void
}

const NO_BODY: SentBody = { isWhole: true, resume: () => undefined, stop: () => undefined }

/** Writes the body with the framing that the request's head announced, no faster than the target takes it. */
export function sendBody(request: IncomingMessage, socket: Socket): SentBody {
  const isChunked = request.headers['transfer-encoding'] !== undefined
  const length = request.headers['content-length']
  if (!isChunked && (length === undefined || Number(length) === 0)) return NO_BODY
  let isWhole = false

  const onData = (content: Buffer): void => {
    if (isChunked) {
      socket.cork()
      socket.write(`${content.length.toString(16)}\r\n`, 'latin1')
      socket.write(content)
      socket.write('\r\n', 'latin1')
      socket.uncork()
    } else {
      socket.write(content)
    }
    if (socket.writableNeedDrain) request.pause()
  }
  const onEnd = (): void => {
    isWhole = true
    if (isChunked) socket.write(`0\r\n${toTrailerLines(request.rawTrailers)}\r\n`, 'latin1')
  }
  request.on('data', onData).on('end', onEnd)

  return {
    get isWhole() {
      return isWhole
    },
    resume: () => void request.resume(),
    stop() {
      request.off('data', onData).off('end', onEnd)
      discardBody(request)
    },
  }
}
