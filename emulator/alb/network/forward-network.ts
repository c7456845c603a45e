import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../../../services/wire/clock.ts'
import { takeOver } from '../answers.ts'
import type { Exchange } from '../exchange.ts'
import type { Failure } from '../failure.ts'
import type { NetworkTarget } from '../model.ts'
import { CONNECT_TIMEOUT_MS, toCloseFailure, toReadFailure } from './failures.ts'
import { toRequestHead, toTrailerLines } from './request-head.ts'
import { createResponseReader, type ResponseHead } from './response-reader.ts'
import { type SentBody, sendBody } from './send-body.ts'
import type { ConnectionUser, TargetConnection, TargetConnections } from './target-connections.ts'

export interface NetworkDeps {
  readonly clock: Clock
  readonly connections: TargetConnections
}

/**
 * Sends the request over a kept-alive connection and its answer back, both as they come. A connection that is refused or
 * breaks before the answer's head, or an answer that is no HTTP, is a 502; one that breaks later breaks the client's.
 */
export function forwardToNetwork(
  response: ServerResponse,
  target: NetworkTarget,
  exchange: Exchange,
  { clock, connections }: NetworkDeps,
): void {
  const request = response.req
  let body: SentBody | undefined
  let head: ResponseHead | undefined
  let connecting: Timer | undefined
  let whole: string | undefined
  let isOver = false

  const reader = createResponseReader(request.method ?? 'GET', {
    onInterim({ status, reason, rawHeaders }) {
      // The balancer itself has told the client to go on.
      if (status === 100 || request.httpVersion === '1.0') return
      response.socket?.write(`HTTP/1.1 ${status} ${reason}\r\n${toTrailerLines(rawHeaders)}\r\n`, 'latin1')
    },
    onHead(received) {
      head = received
      exchange.targetStatus = received.status
      exchange.answeredAt = clock.now()
      // A switch of protocols that nobody asked for cannot be passed on.
      if (received.status === 101) return fail(502, 'malformed-response')
      response.writeHead(received.status, received.reason, toClientHeaders(received, request.httpVersion))
    },
    onBody(content) {
      if (!response.write(content)) connection.socket.pause()
    },
    onWhole(content) {
      whole = content
    },
    onEnd(trailers, rest) {
      if (isOver) return
      isOver = true
      const isWhole = body?.isWhole === true && rest.length === 0
      const isReusable = isWhole && head?.keepsAlive === true && !exchange.closes
      if (isReusable) connections.give(target, connection)
      else drop()
      if (body?.isWhole === false) body.stop()
      if (trailers.length > 0) response.addTrailers(toPairs(trailers))
      if (whole === undefined) response.end()
      else response.end(whole, 'latin1')
    },
  })

  const user: ConnectionUser = {
    onConnect() {
      connecting?.cancel()
      connecting = undefined
    },
    onData(bytes) {
      try {
        reader.read(bytes)
      } catch (error) {
        fail(502, toReadFailure(error))
      }
    },
    onDrain: () => body?.resume(),
    onEnd() {
      if (!reader.end()) fail(502, 'target-closed')
    },
    onClose(error) {
      fail(...toCloseFailure(error, connection))
    },
  }

  /** Before the head an answer of the balancer's own; after it the client's connection breaks as the target's did. */
  function fail(status: 502 | 504, cause: Failure): void {
    if (isOver) return
    isOver = true
    exchange.failure = cause
    drop()
    body?.stop()
    takeOver(response, status, clock.now())
  }

  function drop(): void {
    connecting?.cancel()
    connection.user = undefined
    connection.socket.destroy()
  }

  const connection: TargetConnection = connections.take(target, user)
  const { socket } = connection
  if (socket.connecting) connecting = clock.deadline(CONNECT_TIMEOUT_MS, () => fail(504, 'connect-timeout'))
  response.on('drain', () => socket.resume())
  response.once('close', () => {
    if (isOver) return
    isOver = true
    drop()
    body?.stop()
  })
  socket.write(toRequestHead(request), 'latin1')
  body = sendBody(request, socket)
}

/** An old client knows no chunks, and an answer that has no body has no coding. */
function toClientHeaders({ status, rawHeaders }: ResponseHead, httpVersion: string): string[] {
  if (httpVersion !== '1.0' && status !== 204 && status !== 304) return rawHeaders
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.toLowerCase() !== 'transfer-encoding') kept.push(name, rawHeaders[index + 1] ?? '')
  }
  return kept
}

function toPairs(names: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < names.length; index += 2) pairs.push([names[index] ?? '', names[index + 1] ?? ''])
  return pairs
}
