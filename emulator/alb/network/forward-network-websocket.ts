import type { ServerResponse } from 'node:http'
import type { Timer } from '../../../services/wire/clock.ts'
import { answer } from '../answers.ts'
import type { Exchange } from '../exchange.ts'
import type { Failure } from '../failure.ts'
import type { Upgrade } from '../forward-websocket.ts'
import { handshakeLines } from '../handshake-lines.ts'
import type { NetworkTarget } from '../model.ts'
import type { OpenSocket, Registration } from '../targets/member.ts'
import { CONNECT_TIMEOUT_MS, toCloseFailure, toReadFailure } from './failures.ts'
import type { NetworkDeps } from './forward-network.ts'
import { toRequestHead, toTrailerLines } from './request-head.ts'
import { createResponseReader } from './response-reader.ts'
import type { ConnectionUser, TargetConnection } from './target-connections.ts'

export interface WebSocketEnds {
  /** A plain answer instead of 101: a response that ends the client's connection. */
  respond(): ServerResponse
  /** The client's side is closed after a 101. */
  ended(status: number): void
}

/**
 * Asks the target for the upgrade. After its 101 the two connections are one: bytes pass both ways unseen, and each side's
 * end is the other's.
 */
export function forwardWebSocketToNetwork(
  { request, socket: client, head }: Upgrade,
  { target, registration, exchange }: { target: NetworkTarget; registration: Registration; exchange: Exchange },
  { clock, connections }: NetworkDeps,
  { respond, ended }: WebSocketEnds,
): void {
  let response: ServerResponse | undefined
  let connecting: Timer | undefined
  let isOpen = false
  let isOver = false

  const reader = createResponseReader('GET', {
    onInterim: () => undefined,
    onHead({ status, reason, rawHeaders }) {
      exchange.targetStatus = status
      exchange.answeredAt = clock.now()
      isOpen = status === 101
      if (isOpen) client.write(toHead(reason, toTrailerLines(rawHeaders), exchange), 'latin1')
      else answering().writeHead(status, reason, rawHeaders)
    },
    onBody(content) {
      if (!answering().write(content)) connection.socket.pause()
    },
    onWhole(content) {
      answering().write(content, 'latin1')
    },
    onEnd(_trailers, rest) {
      if (isOpen) return join(rest)
      isOver = true
      drop()
      answering().end()
    },
  })

  const user: ConnectionUser = {
    onConnect() {
      connecting?.cancel()
    },
    onData(bytes) {
      try {
        reader.read(bytes)
      } catch (error) {
        fail(502, toReadFailure(error))
      }
    },
    onDrain: () => undefined,
    onEnd() {
      if (!reader.end()) fail(502, 'target-closed')
    },
    onClose(error) {
      fail(...toCloseFailure(error, connection))
    },
  }

  function answering(): ServerResponse {
    if (response) return response
    response = respond()
    response.on('drain', () => connection.socket.resume())
    return response
  }

  function join(rest: Buffer): void {
    const { socket } = connection
    connection.user = {
      onConnect: () => undefined,
      onData(bytes) {
        if (!client.write(Buffer.from(bytes))) socket.pause()
      },
      onDrain: () => void client.resume(),
      onEnd: () => void client.end(),
      onClose: () => void client.destroy(),
    }
    client.on('data', (bytes: Buffer) => {
      if (!socket.write(bytes)) client.pause()
    })
    client.on('drain', () => socket.resume())
    client.on('end', () => socket.end())
    if (rest.length > 0) client.write(rest)
    if (head.length > 0) socket.write(head)
    client.resume()
  }

  function fail(status: 502 | 504, cause: Failure): void {
    if (isOver) return
    isOver = true
    exchange.failure = cause
    drop()
    if (isOpen || response?.headersSent) client.destroy()
    else answer(answering(), status, clock.now())
  }

  function drop(): void {
    connecting?.cancel()
    connection.user = undefined
    connection.socket.destroy()
  }

  const open: OpenSocket = { cut: (cause) => fail(502, cause) }
  registration.sockets.add(open)
  client.on('error', () => undefined)
  client.once('close', () => {
    registration.sockets.delete(open)
    isOver = true
    drop()
    if (!response) ended(isOpen ? 101 : 460)
  })
  exchange.connection.onIdle = () => fail(504, isOpen ? 'idle-timeout' : 'target-timeout')
  const connection: TargetConnection = connections.open(target, user)
  connecting = clock.deadline(CONNECT_TIMEOUT_MS, () => fail(504, 'connect-timeout'))
  connection.socket.write(toRequestHead(request), 'latin1')
}

function toHead(reason: string, lines: string, exchange: Exchange): string {
  return `HTTP/1.1 101 ${reason}\r\n${handshakeLines(exchange, lines)}${lines}\r\n`
}
