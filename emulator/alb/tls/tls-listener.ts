import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Clock } from '../../../services/wire/clock.ts'
import type { TlsFacts } from '../connection.ts'
import type { TlsConfig } from '../model.ts'
import { createHttp2Front } from './http2-front.ts'
import { createTlsFront } from './tls-front.ts'

export interface TlsListenerOptions {
  /** Gets every connection and every request, as if it listened itself and everybody spoke HTTP/1.1. */
  readonly http: EventEmitter
  readonly clock: Clock
  readonly hasHttp2: boolean
  readonly idleMs: number
  readonly keepAliveMs: number
  readonly createResponse: (request: IncomingMessage) => ServerResponse
  /** Comes before `http` gets the connection. */
  readonly onHttp1: (socket: Socket, tls: TlsFacts) => void
  /** Returns what gets the socket of each stream, before `http` gets its request. */
  readonly onHttp2: (socket: Socket, tls: TlsFacts) => (stream: Socket) => void
  /** HTTP without TLS. */
  readonly onPlain: (socket: Socket) => void
  readonly onFailure: () => void
}

export interface TlsListener {
  /** What listens, in the place of `http`. */
  readonly server: TcpServer
  /** Tells clients of HTTP/2 that no more is taken. */
  drain(): void
  /** Ends every connection at once. */
  stop(): void
}

/** HTTPS in front of an HTTP server: HTTP/1.1 as it comes, HTTP/2 turned into it. */
export async function createTlsListener(config: TlsConfig, options: TlsListenerOptions): Promise<TlsListener> {
  const { http, clock, hasHttp2, idleMs, keepAliveMs, createResponse, onPlain, onFailure } = options
  const http2 = createHttp2Front({
    clock,
    idleMs,
    keepAliveMs,
    createResponse,
    onRequest: (request, response) => void http.emit('request', request, response),
  })
  const front = await createTlsFront({
    ...config,
    hasHttp2,
    onPlain,
    onFailure,
    onHttp1(socket, tls) {
      options.onHttp1(socket, tls)
      http.emit('connection', socket)
    },
    onHttp2: (socket, tls) => http2.take(socket, options.onHttp2(socket, tls)),
  })
  // An HTTP server that does not listen knows of no idle connections, and watches no time-out, until it is told that it does.
  front.server.once('listening', () => http.emit('listening'))
  return {
    server: front.server,
    drain: http2.drain,
    stop() {
      http2.stop()
      front.stop()
    },
  }
}
