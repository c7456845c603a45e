import { createServer } from 'node:http'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Clock } from '../../services/wire/clock.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { EventStream } from '../core/events.ts'
import type { ResolvedAttributes } from './attributes.ts'
import { createClientConnections } from './client-connections.ts'
import { createClientFaults } from './client-faults.ts'
import { ClientResponse, type ClientServer } from './client-response.ts'
import type { ConnectionFacts } from './connection.ts'
import { createNoteRouting } from './explain/note-routing.ts'
import type { ConnectionObserver } from './metrics/connection-counts.ts'
import type { ListenerConfig, TargetGroupConfig } from './model.ts'
import { checkRules, originOf } from './rules/config.ts'
import { type RuleSet, createRuleSet } from './rules/rule-set.ts'
import type { StickinessCookies } from './targets/stickiness-cookie.ts'
import type { TargetConnections } from './network/target-connections.ts'
import { readClient } from './read-client.ts'
import { watchIdle } from './idle-watch.ts'
import { createRouter } from './rules/router.ts'
import { answerPlainHttp } from './tls/plain-http.ts'
import { BODY_READ } from './tls/stream-socket.ts'
import { type TlsListenerOptions, createTlsListener } from './tls/tls-listener.ts'
import type { RoutedTargetGroup } from './targets/target-group.ts'
import { type Traffic, createTraffic } from './traffic.ts'
import { type Zones, createNodeTurn } from './zones.ts'

export interface Listener {
  readonly host: string
  readonly port: number
  /** As they are now; changes count from the next request on. */
  readonly rules: RuleSet
  /** Takes no new connections and closes idle ones; resolves when the last one has ended. */
  drain(): Promise<void>
  /** Ends every connection at once. */
  stop(): Promise<void>
}

export interface ListenerDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly events: EventStream
  /** Connections go to the nodes in turn, to those that DNS names. */
  readonly zones: Zones
  readonly connections: TargetConnections
  readonly attributes: ResolvedAttributes
  readonly targetGroups: ReadonlyMap<string, RoutedTargetGroup>
  readonly targetGroupConfigs: readonly TargetGroupConfig[]
  readonly cookies: StickinessCookies
  /** Hears of the connections of clients. */
  readonly observer?: ConnectionObserver | undefined
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Of a connection's trace id. */
const TRACE_ID_BYTES = 16

const SERVER_OPTIONS = {
  /** More than the reader in front lets through. */
  maxHeaderSize: 128 * 1024,
  // The idle timeout is counted on the balancer's own clock.
  headersTimeout: 0,
  // Bodies may take as long as they like, and a header that announces how long idle connections live is not AWS's.
  requestTimeout: 0,
  keepAliveTimeout: 0,
  // The balancer answers a missing Host with a page of its own.
  requireHostHeader: false,
  ServerResponse: ClientResponse,
} as const

/** @throws the system's own error, such as `EADDRINUSE`, when the address cannot be had. */
export async function startListener(config: ListenerConfig, deps: ListenerDeps): Promise<Listener> {
  const { clock, ids, events, zones, targetGroups, connections: targetConnections, attributes, observer } = deps
  const faults = createClientFaults(deps)
  const server = createServer(SERVER_OPTIONS)
  // The size of the head is limited; a limit of their number would silently leave headers out.
  server.maxHeadersCount = 0
  const connections = createClientConnections(server, clock)
  const takeNode = createNodeTurn(zones)
  const factsOf = new WeakMap<Socket, ConnectionFacts>()
  const secure = config.tls && (await createTlsListener(config.tls, { ...forClients(), http: server }))
  const { host } = config
  const port = await listen(secure?.server ?? server, config)
  const origin = originOf({ tls: config.tls, port })
  const rules = createRuleSet(config, {
    targetGroups,
    origin,
    random: deps.random,
    cookies: deps.cookies,
    check: (next) => checkRules(next, { targetGroups: deps.targetGroupConfigs, origin }),
  })
  const route = createRouter(rules)
  const noteRouting = createNoteRouting(rules, targetGroups, zones)
  serve(
    server,
    createTraffic({
      clock,
      ids,
      events,
      route,
      noteRouting,
      zones,
      listenerPort: port,
      connections: targetConnections,
      attributes,
    }),
  )

  let drained: Promise<void> | undefined
  const drain = (): Promise<void> => {
    connections.closeWhenIdle()
    secure?.drain()
    if (!drained) connections.closeIdle()
    return (drained ??= Promise.all([close(server), secure && close(secure.server)]).then(() => undefined))
  }

  return {
    host,
    port,
    rules,
    drain,
    async stop() {
      const closed = drain()
      connections.destroy()
      secure?.stop()
      await closed
    },
  }

  function serve(on: ClientServer, traffic: Traffic): void {
    on.on('connection', (socket) => {
      if (connections.find(socket)) return
      const connection = connections.take(socket, factsOf.get(socket) ?? newFacts())
      count(socket, connection.node)
      watchIdle(connection, { clock, idleMs: attributes.idleTimeoutMs, onIdle: faults.onIdle })
      readClient(connection, {
        clock,
        mode: attributes.desyncMitigationMode,
        isDeaf: () => zones.isLost(zones.names[connection.node] ?? ''),
        refuse: faults.onRefusal,
      })
    })
    on.on('request', (request, response) => {
      traffic.onRequest(request, response, connections.of(request.socket))
      if (drained) response.once('close', connections.closeIdle)
    })
    // What else a client expects is the balancer's to drop, not to refuse.
    on.on('checkExpectation', (request, response) => void on.emit('request', request, response))
    on.on('upgrade', (request, socket, head) => {
      traffic.onWebSocket({ request, socket, head }, connections.of(request.socket))
    })
    on.on('clientError', (error, socket) => {
      const connection = connections.find(socket)
      if (connection) faults.onClientError(error, connection)
      else socket.destroy()
    })
  }

  function count(socket: Socket, node: number): void {
    if (!observer) return
    observer.opened(node)
    socket.once('close', () => observer.closed(node))
  }

  function newFacts(): ConnectionFacts {
    return { node: takeNode(), traceId: `TID_${ids.hex(TRACE_ID_BYTES)}` }
  }

  function forClients(): Omit<TlsListenerOptions, 'http'> {
    const { idleTimeoutMs, clientKeepAliveMs, hasHttp2 } = attributes
    return {
      clock,
      hasHttp2,
      idleMs: idleTimeoutMs,
      keepAliveMs: clientKeepAliveMs,
      createResponse: (request) => new ClientResponse(request),
      onHttp1: (socket, tls) => void factsOf.set(socket, { ...newFacts(), kind: 'https', tls }),
      onHttp2(socket, tls) {
        const facts = { ...newFacts(), kind: 'h2', tls } as const
        count(socket, facts.node)
        return (stream) => {
          const connection = connections.take(stream, facts)
          watchIdle(connection, { clock, idleMs: attributes.idleTimeoutMs, onIdle: faults.onIdle })
          stream.on(BODY_READ, () => (connection.lastActiveAt = clock.now()))
        }
      },
      onPlain: (socket) => answerPlainHttp(socket, newFacts(), { clock, events }),
      onFailure: () => observer?.handshakeFailed(),
    }
  }
}

function listen(server: TcpServer, { host, port }: ListenerConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function close(server: TcpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
