import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../../services/wire/clock.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { EventStream } from '../core/events.ts'
import { recordAccess } from './log/access.ts'
import { answer, answerFixed, answerRedirect } from './answers.ts'
import type { ResolvedAttributes } from './attributes.ts'
import { ClientResponse } from './client-response.ts'
import type { Connection } from './connection.ts'
import { discardBody } from './discard-body.ts'
import { type Exchange, openExchange } from './exchange.ts'
import type { NoteRouting } from './explain/note-routing.ts'
import { forwardInProcess } from './forward-http.ts'
import { type Upgrade, forwardWebSocket } from './forward-websocket.ts'
import { applyRewrite, rewriteHeaders } from './headers.ts'
import { forwardToNetwork } from './network/forward-network.ts'
import { forwardWebSocketToNetwork } from './network/forward-network-websocket.ts'
import type { TargetConnections } from './network/target-connections.ts'
import { closesAfter, toRefusal } from './refusal.ts'
import type { Destination } from './rules/actions.ts'
import type { Router } from './rules/router.ts'
import { createTraceIds } from './trace-id.ts'
import { vanish } from './vanish.ts'
import type { Zones } from './zones.ts'

export interface TrafficDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly events: EventStream
  readonly route: Router
  readonly listenerPort: number
  readonly connections: TargetConnections
  readonly attributes: ResolvedAttributes
  readonly zones: Zones
  readonly noteRouting: NoteRouting
}

export interface Traffic {
  onRequest(request: IncomingMessage, response: ClientResponse, connection: Connection): void
  onWebSocket(upgrade: Upgrade, connection: Connection): void
}

/** The status that a log has, and nobody gets, for a client that left before the answer. */
const CLIENT_LEFT = 460

/** What a listener does with each request, from its head to its access event. */
export function createTraffic(deps: TrafficDeps): Traffic {
  const { clock, ids, events, route, listenerPort, attributes, zones, noteRouting } = deps
  const now = (): number => clock.now()
  const toTraceId = createTraceIds(ids)
  const record = (exchange: Exchange, status: number): void => recordAccess(exchange, status, { clock, events })

  /** Knows the response until it has closed, and then records it. */
  function track(exchange: Exchange, response: ClientResponse): void {
    const { connection } = exchange
    connection.open += 1
    connection.responses.add(response)
    connection.latest = response
    connection.latestExchange = exchange
    response.exchange = exchange
    if (exchange.closes || isTooOld(exchange)) response.shouldKeepAlive = false
    response.on('close', () => {
      connection.open -= 1
      connection.responses.delete(response)
      exchange.registration?.responses.delete(response)
      // What is left of a body that nobody wants is in the way of the next request.
      if (!exchange.request.complete) discardBody(exchange.request)
      record(exchange, response.headersSent ? response.statusCode : CLIENT_LEFT)
    })
  }

  function respond(exchange: Exchange, response: ClientResponse, destination: Destination): void {
    track(exchange, response)
    if (typeof destination === 'number') {
      if (closesAfter(destination)) response.shouldKeepAlive = false
      return answer(response, destination, now())
    }
    if ('type' in destination) {
      if (destination.type === 'redirect') return answerRedirect(response, destination, now())
      return answerFixed(response, destination, now())
    }
    prepare(exchange, { isUpgrade: false })
    const { target, responses } = destination
    if (target.gone.aborted) return refuse(exchange, response)
    exchange.routedAt = exchange.startedAt
    responses.add(response)
    if (zones.isLost(target.zone)) return vanish(response, exchange, clock)
    if (target.kind === 'network') forwardToNetwork(response, target, exchange, deps)
    else forwardInProcess(response, target, exchange)
  }

  /** As a closed port does. */
  function refuse(exchange: Exchange, response: ClientResponse): void {
    exchange.failure = 'target-refused'
    answer(response, 502, now())
  }

  function prepare(exchange: Exchange, { isUpgrade }: { isUpgrade: boolean }): void {
    const { request, connection, startedAt } = exchange
    if (exchange.rewrite) applyRewrite(request, exchange.rewrite)
    const received = request.headers['x-amzn-trace-id']
    exchange.traceId = toTraceId(typeof received === 'string' ? received : undefined, startedAt)
    rewriteHeaders(request, { connection, listenerPort, traceId: exchange.traceId, isUpgrade, attributes })
  }

  /** It takes this one request more; an open socket may grow older. */
  function isTooOld({ startedAt, connection: { openedAt, kind } }: Exchange): boolean {
    return kind !== 'h2' && startedAt - openedAt >= attributes.clientKeepAliveMs
  }

  function open(request: IncomingMessage, connection: Connection): Exchange {
    connection.requests += 1
    const mark = connection.marks[0]?.index === connection.requests ? connection.marks.shift() : undefined
    if (!mark) return openExchange(request, connection, now)
    if (mark.method !== undefined) request.method = mark.method
    if (mark.target !== undefined) request.url = mark.target
    const exchange = openExchange(request, connection, now)
    if (mark.verdict.tier !== 'Compliant') {
      exchange.classification = mark.verdict.tier
      exchange.classificationReason = mark.verdict.reason
    }
    exchange.closes = mark.closes
    return exchange
  }

  function choose(exchange: Exchange): Destination {
    const destination = toRefusal(exchange.request) ?? route(exchange)
    if (exchange.explained) noteRouting(exchange, exchange.explained)
    return destination
  }

  return {
    onRequest(request, response, connection) {
      const exchange = open(request, connection)
      respond(exchange, response, choose(exchange))
    },
    onWebSocket(upgrade, connection) {
      const exchange = open(upgrade.request, connection)
      const destination = choose(exchange)
      if (!takesUpgrades(destination)) return respond(exchange, respondOn(upgrade, connection.socket), destination)
      prepare(exchange, { isUpgrade: true })
      exchange.routedAt = exchange.startedAt
      const ended = (status: number): void => record(exchange, status)
      const respondPlainly = (): ClientResponse => {
        const response = respondOn(upgrade, connection.socket)
        track(exchange, response)
        return response
      }
      const { target } = destination
      if (zones.isLost(target.zone)) return vanish(respondPlainly(), exchange, clock)
      if (target.kind === 'in-process') return forwardWebSocket(upgrade, target, destination, exchange, ended)
      const ends = { respond: respondPlainly, ended }
      forwardWebSocketToNetwork(upgrade, { target, registration: destination, exchange }, deps, ends)
    },
  }
}

function takesUpgrades(destination: Destination): destination is Extract<Destination, { target: unknown }> {
  if (typeof destination === 'number' || 'type' in destination) return false
  const { target } = destination
  return target.kind === 'network' || target.server.listenerCount('upgrade') > 0
}

/** A plain answer to a request for an upgrade; the connection ends with it. */
function respondOn({ request }: Upgrade, socket: Socket): ClientResponse {
  const response = new ClientResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.on('finish', () => socket.end(() => socket.destroy()))
  // The HTTP server, which would have taken care of a reset, has let go of the socket.
  socket.on('error', () => undefined)
  return response
}
