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
  stampBytes(connection, clock)

  const check = (): void => {
    const leftMs = connection.lastActiveAt + idleMs - clock.now()
    timer = clock.after(leftMs > 0 ? leftMs : idleMs, check)
    if (leftMs <= 0) (connection.onIdle ?? onIdle)(connection)
  }
  let timer: Timer = clock.after(idleMs, check)
  socket.once('close', () => timer.cancel())
}

/** What comes and goes shows on the connection, whoever reads and writes it. */
function stampBytes(connection: Connection, clock: Clock): void {
  const { socket } = connection
  const write = socket.write.bind(socket) as (...parts: unknown[]) => boolean
  socket.write = (...parts: unknown[]): boolean => {
    connection.lastActiveAt = clock.now()
    return write(...parts)
  }
  const push = socket.push.bind(socket)
  socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    connection.lastActiveAt = clock.now()
    return push(chunk, encoding)
  }
}
