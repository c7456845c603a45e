import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { toRawAnswer } from './answers.ts'
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import { explanationLines } from './explain/explanation.ts'
import { withHandshakeLines } from './handshake-lines.ts'
import type { InProcessTarget } from './model.ts'
import type { OpenSocket, Registration } from './targets/member.ts'

export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What the client has sent after its request. */
  readonly head: Buffer
}

/** What a log says of a socket that ended before the target had answered. */
const CLIENT_LEFT = 460

/**
 * Hands a socket to the target's own server, which has an `upgrade` listener. `ended` gets the status of the target's
 * answer when the socket has closed.
 */
export function forwardWebSocket(
  { request, socket, head }: Upgrade,
  target: InProcessTarget,
  { sockets }: Registration,
  exchange: Exchange,
  ended: (status: number) => void,
): void {
  let status: number | undefined
  const { connection, now } = exchange
  const unwatch = watchFirst(socket, (chunk) => {
    const seen = toStatus(chunk)
    if (seen === undefined) return chunk
    status = seen
    exchange.targetStatus = seen
    exchange.answeredAt = now()
    return withHandshakeLines(chunk, exchange)
  })

  /** Without a frame that says goodbye once it is open; before that with an answer. */
  const end = (own: 502 | 504, cause: Failure): void => {
    exchange.failure ??= cause
    if (exchange.targetStatus !== undefined) return void socket.destroy()
    status = own
    unwatch()
    socket.end(toRawAnswer(own, now(), explanationLines(exchange, own)), () => socket.destroy())
  }
  const sent: OpenSocket = { cut: (cause) => end(502, cause) }
  connection.onIdle = () => end(504, status === undefined ? 'target-timeout' : 'idle-timeout')
  sockets.add(sent)
  // From here on the socket is no longer the HTTP server's, which would have taken care of a reset.
  socket.on('error', () => undefined)
  socket.once('close', () => {
    sockets.delete(sent)
    ended(status ?? CLIENT_LEFT)
  })
  if (target.gone.aborted) return end(502, 'target-refused')
  try {
    target.server.emit('upgrade', request, socket, head)
  } catch {
    end(502, 'target-threw')
  }
}

/** `see` may change what is written first; later writes take the usual way, as all do after the call. */
function watchFirst(socket: Duplex, see: (chunk: unknown) => unknown): () => void {
  const { write, end } = socket
  const unwatch = (): void => {
    socket.write = write
    socket.end = end
  }
  const watching =
    (name: 'write' | 'end') =>
    (...[chunk, ...rest]: unknown[]): never => {
      unwatch()
      return Reflect.apply(socket[name], socket, [see(chunk), ...rest]) as never
    }
  socket.write = watching('write')
  socket.end = watching('end')
  return unwatch
}

function toStatus(chunk: unknown): number | undefined {
  const start = Buffer.isBuffer(chunk) ? chunk.toString('latin1', 0, 16) : String(chunk)
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(start)
  return match ? Number(match[1]) : undefined
}
