import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../services/wire/clock.ts'
import type { ClientServer } from './client-response.ts'
import { type Connection, type ConnectionFacts, createConnection } from './connection.ts'

/** The client connections of one listener, streams of HTTP/2 among them: each is one to the rest of the balancer. */
export interface ClientConnections {
  /** Known until its socket has closed. */
  take(socket: Socket, facts: ConnectionFacts): Connection
  /** @throws Error for a socket that was never taken */
  of(socket: Socket): Connection
  find(socket: Duplex): Connection | undefined
  /** Ends those that wait for a request, as soon as responses that are closing have closed. */
  closeIdle(): void
  /** Calls `closeIdle` when the latest response of each connection has closed. */
  closeWhenIdle(): void
  destroy(): void
}

export function createClientConnections(server: ClientServer, clock: Clock): ClientConnections {
  const connections = new Map<Duplex, Connection>()

  return {
    take(socket, facts) {
      const connection = createConnection(socket, facts)
      connection.openedAt = clock.now()
      connections.set(socket, connection)
      socket.once('close', () => {
        connections.delete(socket)
        setImmediate(closeWaiting, connection)
      })
      return connection
    },
    of(socket) {
      const known = connections.get(socket)
      if (known) return known
      throw new Error('A request came over a connection that its listener never took.')
    },
    find: (socket) => connections.get(socket),
    closeIdle,
    closeWhenIdle() {
      for (const { open, latest } of connections.values()) if (open > 0) latest?.once('close', closeIdle)
    },
    destroy() {
      for (const socket of connections.keys()) socket.destroy()
    },
  }

  /** A connection counts as idle a moment after its response has closed. */
  function closeIdle(): void {
    setImmediate(() => {
      server.closeIdleConnections()
      // Node does not know that those have ever had a request which its parser has not seen.
      for (const { socket, front, requests, open } of connections.values()) {
        if (front && !front.isInBody && requests > 0 && open === 0) socket.destroy()
      }
    })
  }
}

/** Node tells only the first response of a connection that it has closed, not those that wait for their turn behind it. */
function closeWaiting({ responses }: Connection): void {
  for (const response of responses) {
    response.destroy()
    response.emit('close')
  }
}
