import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../services/wire/clock.ts'
import type { Connection } from './connection.ts'
import type { DesyncMode } from './wire/read-request.ts'
import { type Refusal, createFront } from './wire/front.ts'
import type { PlainHead } from './wire/plain-head.ts'

export interface ReadDeps {
  readonly clock: Clock
  readonly mode: DesyncMode
  /** Whether the node that has the connection is silent: what comes is lost. */
  readonly isDeaf: () => boolean
  readonly refuse: (connection: Connection, refusal: Refusal) => void
}

/** A connection's side of Node's HTTP server, as far as it is of use here; none of it is documented. */
interface ServedSocket extends Socket {
  readonly parser?: { readonly onIncoming?: (request: IncomingMessage, keepsAlive: boolean) => number }
}

/** What Node's parser gives its headers to, to look at them when somebody wants them. */
interface ParsedRequest extends IncomingMessage {
  _addHeaderLines?(rawHeaders: string[], count: number): void
}

const TAKES_HEADERS = '_addHeaderLines' in IncomingMessage.prototype

/**
 * Puts the balancer's own reader between a connection and Node's HTTP server, which has taken it already: what the server
 * would have read itself it gets from the reader. Requests that need no parser it gets as such, where it takes them.
 */
export function readClient(connection: Connection, { clock, mode, isDeaf, refuse }: ReadDeps): void {
  const socket: ServedSocket = connection.socket
  const [serve] = socket.listeners('data') as ((bytes: Buffer) => void)[]
  if (!serve) throw new Error('A connection has no HTTP server behind it.')
  const inTurn = createTurn(socket)
  const front = createFront({
    mode,
    feed: (bytes) => inTurn(serve, bytes),
    take: TAKES_HEADERS && socket.parser?.onIncoming ? (head) => inTurn(take, head) : undefined,
    mark: (mark) => connection.marks.push(mark),
    refuse: (refusal) => refuse(connection, refusal),
    leave() {
      connection.front = undefined
      socket.off('data', onData)
    },
  })

  function take(head: PlainHead): void {
    const request = toRequest(socket, head)
    socket.parser?.onIncoming?.(request, true)
    request.complete = true
    request.push(null)
  }

  function onData(chunk: Buffer): void {
    if (!isDeaf()) front.read(chunk)
  }

  connection.front = front
  socket.off('data', serve)
  socket.on('data', onData)

  const push = socket.push
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    connection.lastActiveAt = clock.now()
    const isNext = socket.readableFlowing === true && socket.readableLength === 0
    if (chunk === null || !isNext || connection.front === undefined) return push.call(socket, chunk, encoding)
    // What the stream would do for its only listener costs as much as the reader.
    onData(chunk)
    return true
  }
}

/** Node's server stops a connection that has too much to answer; what has been read of it by then has to wait. */
function createTurn(socket: Socket): <T>(this: void, run: (this: Socket, item: T) => void, item: T) => void {
  const waiting: (() => void)[] = []
  const resume = (): void => {
    if (socket.destroyed) waiting.length = 0
    while (waiting.length > 0 && !socket.isPaused()) waiting.shift()?.()
    if (waiting.length > 0) socket.once('resume', resume)
  }
  return (run, item) => {
    if (socket.destroyed) return
    if (waiting.length === 0 && !socket.isPaused()) return run.call(socket, item)
    if (waiting.length === 0) socket.once('resume', resume)
    waiting.push(() => run.call(socket, item))
  }
}

function toRequest(socket: Socket, { method, target, rawHeaders }: PlainHead): IncomingMessage {
  const request: ParsedRequest = new IncomingMessage(socket)
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  request.httpVersion = '1.1'
  request.method = method
  request.url = target
  request._addHeaderLines?.(rawHeaders, rawHeaders.length)
  return request
}
