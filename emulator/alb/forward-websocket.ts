import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { toRawAnswer } from './answers.ts'
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
  { now, ended }: { now: () => number; ended: (status: number) => void },
): void {
  let status: number | undefined
  watchStatus(socket, (seen) => (status = seen))
  const sent: OpenSocket = {
    cut() {
      if (status === undefined) socket.end(toRawAnswer(502, now()), () => socket.destroy())
      else socket.destroy()
    },
  }
  sockets.add(sent)
  // From here on the socket is no longer the HTTP server's, which would have taken care of a reset.
  socket.on('error', () => undefined)
  socket.once('close', () => {
    sockets.delete(sent)
    ended(status ?? CLIENT_LEFT)
  })
  if (target.gone.aborted) return sent.cut()
  try {
    target.server.emit('upgrade', request, socket, head)
  } catch {
    sent.cut()
  }
}

/** Reads the status of the first answer that is written; later writes take the usual way. */
function watchStatus(socket: Duplex, seen: (status: number) => void): void {
  for (const name of ['write', 'end'] as const) {
    const original = socket[name].bind(socket) as (...parts: unknown[]) => never
    socket[name] = (...parts: unknown[]): never => {
      Reflect.deleteProperty(socket, 'write')
      Reflect.deleteProperty(socket, 'end')
      const status = toStatus(parts[0])
      if (status !== undefined) seen(status)
      return original(...parts)
    }
  }
}

function toStatus(chunk: unknown): number | undefined {
  const start = Buffer.isBuffer(chunk) ? chunk.toString('latin1', 0, 16) : String(chunk)
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(start)
  return match ? Number(match[1]) : undefined
}
