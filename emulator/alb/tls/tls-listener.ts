import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Clock } from '../../../services/wire/clock.ts'
import type { TlsFacts } from '../connection.ts'
import type { TlsConfig } from '../model.ts'
import { createHttp2Front } from './http2-front.ts'
import { createTlsFront } from './tls-front.ts'

export interface TlsListenerOptions {
  /** Gets every connection and every request, as if it listened itself and everybody spoke HTTP/1.1. */
  readonly http: Server
  readonly clock: Clock
  readonly hasHttp2: boolean
  readonly idleMs: number
  readonly keepAliveMs: number
  readonly createResponse: (request: IncomingMessage) => ServerResponse
  /** Comes before `http` gets the connection, or a stream's request. */
  readonly onConnection: (socket: Socket, about: { readonly kind: 'https' | 'h2'; readonly tls: TlsFacts }) => void
  /** HTTP without TLS. */
  readonly onPlain: (socket: Socket) => void
  readonly onFailure: () => void
}

export interface TlsListener {
  /** What listens, in the place of `http`. */
  readonly server: TcpServer
  /** Tells clients of HTTP/2 that no more is taken. */
  drain(): void
  /** Ends connections of HTTP/2 at once. */
  stop(): void
}

/** HTTPS in front of an HTTP server: HTTP/1.1 as it comes, HTTP/2 turned into it. */
export async function createTlsListener(config: TlsConfig, options: TlsListenerOptions): Promise<TlsListener> {
  const { http, clock, hasHttp2, idleMs, keepAliveMs, createResponse, onConnection, onPlain, onFailure } = options
  const http2 = createHttp2Front({
    clock,
    idleMs,
    keepAliveMs,
    createResponse,
    onRequest: (request, response) => void http.emit('request', request, response),
  })
  const server = await createTlsFront({
    ...config,
    hasHttp2,
    onPlain,
    onFailure,
    onHttp1(socket, tls) {
      onConnection(socket, { kind: 'https', tls })
      http.emit('connection', socket)
    },
    onHttp2(socket, tls) {
      http2.take(socket, (stream) => onConnection(stream, { kind: 'h2', tls }))
    },
  })
  // An HTTP server that does not listen knows of no idle connections, and watches no time-out, until it is told that it does.
  server.once('listening', () => http.emit('listening'))
  return { server, drain: http2.drain, stop: http2.stop }
}
