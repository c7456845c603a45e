import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  constants,
  createServer,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock, Timer } from '../../../services/wire/clock.ts'
import { StreamSocket } from './stream-socket.ts'
import { openStreamRequest } from './stream-request.ts'

export interface Http2FrontOptions {
  readonly clock: Clock
  /** Without a request for that long a connection ends. */
  readonly idleMs: number
  /** A connection of that age takes one more request. */
  readonly keepAliveMs: number
  /** Makes the response that `onRequest` gets. */
  readonly createResponse: (request: IncomingMessage) => ServerResponse
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void
}

export interface Http2Front {
  /** To what comes behind, each stream is a connection of its own: `onStream` gets its socket before its request. */
  take(connection: TLSSocket, onStream: (socket: Socket) => void): void
  /** Takes no new requests and lets those underway end. */
  drain(): void
  stop(): void
}

/** aws-behaviour §1.12. */
const MAX_STREAMS = 128
const MAX_REQUESTS = 10_000
const MAX_HEAD_BYTES = 64 * 1024
/** In megabytes: what all streams of a connection may have waiting in both directions, and more. */
const MAX_SESSION_MEMORY = 64

/** Turns requests of HTTP/2 into the requests of HTTP/1.1 that they are for targets. */
export function createHttp2Front({
  clock,
  idleMs,
  keepAliveMs,
  createResponse,
  onRequest,
}: Http2FrontOptions): Http2Front {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer({
    maxSessionMemory: MAX_SESSION_MEMORY,
    settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEAD_BYTES },
  })

  function watch(session: ServerHttp2Session): { begun(stream: ServerHttp2Stream): void } {
    const openedAt = clock.now()
    let taken = 0
    let open = 0
    let idle: Timer | undefined
    const wait = (): void => {
      idle = clock.after(idleMs, () => session.close())
    }
    wait()
    sessions.add(session)
    session.on('error', () => undefined)
    session.on('close', () => {
      idle?.cancel()
      sessions.delete(session)
    })
    return {
      begun(stream) {
        taken += 1
        open += 1
        idle?.cancel()
        stream.once('close', () => {
          open -= 1
          if (open === 0 && !session.closed) wait()
        })
        // What is underway ends; the client is told by a GOAWAY.
        if (taken >= MAX_REQUESTS || clock.now() - openedAt >= keepAliveMs) session.close()
      },
    }
  }

  return {
    take(connection, onStream) {
      // Emitted while the connection is handed over.
      server.once('session', (session) => {
        const { begun } = watch(session)
        session.on(
          'stream',
          (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
            stream.on('error', () => undefined)
            begun(stream)
            const socket = new StreamSocket(stream, connection)
            const request = openStreamRequest(stream, socket, { headers, raw })
            if (!request) return stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
            onStream(socket.asSocket())
            const response = createResponse(request)
            // The end of the stream ends the body.
            response.useChunkedEncodingByDefault = false
            response.assignSocket(socket.asSocket())
            response.once('finish', () => socket.end())
            socket.on('drain', () => response.emit('drain'))
            onRequest(request, response)
          },
        )
      })
      server.emit('connection', connection)
    },
    drain() {
      for (const session of sessions) session.close()
    },
    stop() {
      for (const session of sessions) session.destroy()
    },
  }
}
