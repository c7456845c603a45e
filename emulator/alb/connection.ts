import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'
import { type InFlight, createInFlight } from './in-flight.ts'
import type { Front, Mark } from './wire/front.ts'

/** One client connection of a listener. */
export interface Connection {
  readonly socket: Socket
  /** Address of the TCP peer. */
  readonly client: string
  /** The peer's address and port, for the log. */
  readonly name: string
  /** Index of the node that took it. */
  readonly node: number
  readonly kind: 'http' | 'https' | 'h2'
  /** Of the end that the client has connected to. */
  readonly address: string
  readonly port: number
  /** `TID_` and 32 hexadecimal digits, as the log joins lines of one connection by. */
  readonly traceId: string
  /** Undefined for a connection without TLS. */
  readonly tls: TlsFacts | undefined
  /** What earlier requests of the connection account for. */
  receivedBytes: number
  sentBytes: number
  /** Responses that have not ended, and the latest of them all. */
  readonly responses: InFlight
  open: number
  latest: ServerResponse | undefined
  latestExchange: Exchange | undefined
  /** Of the balancer's clock: the first of all bytes, and the latest, either way. */
  openedAt: number
  lastActiveAt: number
  /** What is being written is a whole answer: nothing has to be gathered for one call of the system. */
  writesWhole: boolean
  /** Requests that have come, and what its reader has noted of those yet to come. */
  requests: number
  readonly marks: Mark[]
  /** Undefined where something else reads the client's bytes. */
  front: Front | undefined
  /** What becomes of it when it is idle; the listener's own way where undefined. */
  onIdle: (() => void) | undefined
}

/** What a TLS handshake has agreed on. */
export interface TlsFacts {
  /** OpenSSL's name. */
  readonly cipher: string
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined
  readonly certificateArn: string
  readonly isReused: boolean
}

export interface ConnectionFacts {
  readonly node: number
  readonly traceId: string
  readonly kind?: Connection['kind']
  readonly tls?: TlsFacts | undefined
}

export function createConnection(socket: Socket, { node, traceId, kind = 'http', tls }: ConnectionFacts): Connection {
  const client = toPeerAddress(socket.remoteAddress)
  return {
    socket,
    client,
    name: `${client}:${socket.remotePort ?? '-'}`,
    node,
    kind,
    address: toPeerAddress(socket.localAddress),
    port: socket.localPort ?? 0,
    traceId,
    tls,
    receivedBytes: 0,
    sentBytes: 0,
    responses: createInFlight(),
    open: 0,
    latest: undefined,
    latestExchange: undefined,
    openedAt: 0,
    lastActiveAt: 0,
    writesWhole: false,
    requests: 0,
    marks: [],
    front: undefined,
    onIdle: undefined,
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
