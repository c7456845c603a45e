import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** One client connection of a listener. */
export interface Connection {
  readonly socket: Socket
  /** Address of the TCP peer. */
  readonly client: string
  /** The peer's address and port, for the log. */
  readonly name: string
  /** Index of the node that took it. */
  readonly node: number
  /** What earlier requests of the connection account for. */
  receivedBytes: number
  sentBytes: number
  /** Responses that have not ended, and the latest of them all. */
  open: number
  latest: ServerResponse | undefined
}

export function createConnection(socket: Socket, node: number): Connection {
  const client = toPeerAddress(socket.remoteAddress)
  return {
    socket,
    client,
    name: `${client}:${socket.remotePort ?? '-'}`,
    node,
    receivedBytes: 0,
    sentBytes: 0,
    open: 0,
    latest: undefined,
  }
}

/** Bytes of the connection since the last call, heads included. */
export function takeBytes(connection: Connection): { receivedBytes: number; sentBytes: number } {
  const { bytesRead, bytesWritten } = connection.socket
  const receivedBytes = bytesRead - connection.receivedBytes
  const sentBytes = bytesWritten - connection.sentBytes
  connection.receivedBytes = bytesRead
  connection.sentBytes = bytesWritten
  return { receivedBytes, sentBytes }
}

/** An IPv4 client of a dual-stack listener is known by its IPv4 address. */
function toPeerAddress(address: string | undefined): string {
  if (address === undefined) return '-'
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}
