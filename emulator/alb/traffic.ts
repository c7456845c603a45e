import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../services/wire/clock.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { EventStream } from '../core/events.ts'
import { recordAccess } from './log/access.ts'
import { answer, answerFixed } from './answers.ts'
import type { Connection } from './connection.ts'
import { type Exchange, openExchange } from './exchange.ts'
import { forwardHttp } from './forward-http.ts'
import { type Upgrade, forwardWebSocket } from './forward-websocket.ts'
import { rewriteHeaders } from './headers.ts'
import { toRefusal } from './refusal.ts'
import type { Destination, Router } from './rules/router.ts'
import { createTraceIds } from './trace-id.ts'

export interface TrafficDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly events: EventStream
  readonly route: Router
  readonly listenerPort: number
}

export interface Traffic {
  onRequest(request: IncomingMessage, response: ServerResponse, connection: Connection): void
  onWebSocket(upgrade: Upgrade, connection: Connection): void
}

/** The status that a log has, and nobody gets, for a client that left before the answer. */
const CLIENT_LEFT = 460

/** What a listener does with each request, from its head to its access event. */
export function createTraffic({ clock, ids, events, route, listenerPort }: TrafficDeps): Traffic {
  const now = (): number => clock.now()
  const toTraceId = createTraceIds(ids)
  const record = (exchange: Exchange, status: number): void => recordAccess(exchange, status, { clock, events })

  function respond(exchange: Exchange, response: ServerResponse, destination: Destination): void {
    const { connection } = exchange
    connection.open += 1
    connection.latest = response
    response.on('close', () => {
      connection.open -= 1
      exchange.registration?.responses.delete(response)
      record(exchange, response.headersSent ? response.statusCode : CLIENT_LEFT)
    })
    if (typeof destination === 'number') return answer(response, destination, now())
    if ('type' in destination) return answerFixed(response, destination, now())
    prepare(exchange, { isUpgrade: false })
    forwardHttp(response, destination, exchange.startedAt)
  }

  function prepare(exchange: Exchange, { isUpgrade }: { isUpgrade: boolean }): void {
    const { request, connection, startedAt } = exchange
    const received = request.headers['x-amzn-trace-id']
    exchange.traceId = toTraceId(typeof received === 'string' ? received : undefined, startedAt)
    rewriteHeaders(request, { client: connection.client, listenerPort, traceId: exchange.traceId, isUpgrade })
  }

  return {
    onRequest(request, response, connection) {
      const exchange = openExchange(request, connection, now())
      respond(exchange, response, toRefusal(request) ?? route(exchange))
    },
    onWebSocket(upgrade, connection) {
      const { request } = upgrade
      const exchange = openExchange(request, connection, now())
      const destination = toRefusal(request) ?? route(exchange)
      if (!takesUpgrades(destination)) return respond(exchange, respondOn(upgrade, connection.socket), destination)
      prepare(exchange, { isUpgrade: true })
      forwardWebSocket(upgrade, destination, { now, ended: (status) => record(exchange, status) })
    },
  }
}

function takesUpgrades(destination: Destination): destination is Extract<Destination, { target: unknown }> {
  if (typeof destination === 'number' || 'type' in destination) return false
  return destination.target.server.listenerCount('upgrade') > 0
}

/** A plain answer to a request for an upgrade; the connection ends with it. */
function respondOn({ request }: Upgrade, socket: Socket): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on('finish', () => socket.end(() => socket.destroy()))
  // The HTTP server, which would have taken care of a reset, has let go of the socket.
  socket.on('error', () => undefined)
  return response
}
