import type { Connection } from './connection.ts'
import type { DesyncMode } from './wire/read-request.ts'
import { type Refusal, createFront } from './wire/front.ts'

export interface ReadDeps {
  readonly mode: DesyncMode
  /** Whether the node that has the connection is silent: what comes is lost. */
  readonly isDeaf: () => boolean
  readonly refuse: (connection: Connection, refusal: Refusal) => void
}

/**
 * Puts the balancer's own reader between a connection and Node's HTTP server, which has taken it already: what the server
 * would have read itself it gets from the reader.
 */
export function readClient(connection: Connection, { mode, isDeaf, refuse }: ReadDeps): void {
  const { socket } = connection
  const [feed] = socket.listeners('data') as ((bytes: Buffer) => void)[]
  if (!feed) throw new Error('A connection has no HTTP server behind it.')
  const front = createFront({
    mode,
    feed: (bytes) => {
      if (!socket.destroyed) feed.call(socket, bytes)
    },
    mark: (mark) => connection.marks.push(mark),
    refuse: (refusal) => refuse(connection, refusal),
    leave: () => void socket.off('data', onData),
  })
  const onData = (chunk: Buffer): void => {
    if (!isDeaf()) front.read(chunk)
  }
  connection.front = front
  socket.off('data', feed)
  socket.on('data', onData)
}
