import type { Clock, Timer } from '../../services/wire/clock.ts'
import type { Connection } from './connection.ts'

/**
 * Calls `onIdle` when no byte has come or gone over the client's connection for `idleMs`, and again when that much more
 * has passed. One timer a connection: bytes only leave their time behind.
 */
export function watchIdle(
  connection: Connection,
  { clock, idleMs, onIdle }: { clock: Clock; idleMs: number; onIdle: (connection: Connection) => void },
): void {
  const { socket } = connection
  connection.lastActiveAt = clock.now()
  stampSent(connection, clock)

  const check = (): void => {
    const leftMs = connection.lastActiveAt + idleMs - clock.now()
    timer = clock.after(leftMs > 0 ? leftMs : idleMs, check)
    if (leftMs <= 0) (connection.onIdle ?? onIdle)(connection)
  }
  let timer: Timer = clock.after(idleMs, check)
  socket.once('close', () => timer.cancel())
}

/** What goes shows on the connection, whoever writes it; what comes is for its reader to note. */
function stampSent(connection: Connection, clock: Clock): void {
  const { socket } = connection
  const { cork } = socket
  const write = socket.write as (...parts: unknown[]) => boolean
  socket.write = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
    // Node ends an answer by writing nothing.
    if (chunk !== '') connection.lastActiveAt = clock.now()
    else if (connection.writesWhole && socket.writable && socket.writableLength === 0 && isCallback(callback)) {
      process.nextTick(callback)
      return true
    }
    return write.call(socket, chunk, encoding, callback)
  }
  socket.cork = () => {
    if (!connection.writesWhole) cork.call(socket)
  }
}

function isCallback(value: unknown): value is () => void {
  return typeof value === 'function'
}
