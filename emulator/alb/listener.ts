import { type Server, createServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../services/wire/clock.ts'
import type { Ids } from '../../services/wire/runtime.ts'
import type { EventStream } from '../core/events.ts'
import { recordMalformed } from './log/access.ts'
import { takeOver, toRawAnswer } from './answers.ts'
import { type Connection, createConnection } from './connection.ts'
import type { ListenerConfig } from './model.ts'
import type { TargetConnections } from './network/target-connections.ts'
import { readAsPlain } from './plain-request.ts'
import { createRouter } from './rules/router.ts'
import type { RoutedTargetGroup } from './targets/target-group.ts'
import { type Traffic, createTraffic } from './traffic.ts'

export interface Listener {
  readonly host: string
  readonly port: number
  /** Takes no new connections and closes idle ones; resolves when the last one has ended. */
  drain(): Promise<void>
  /** Ends every connection at once. */
  stop(): Promise<void>
}

export interface ListenerDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly events: EventStream
  /** Number of the balancer's nodes; connections go to them in turn. */
  readonly nodes: number
  readonly connections: TargetConnections
  readonly targetGroups: ReadonlyMap<string, RoutedTargetGroup>
}

/** Of a connection's trace id. */
const TRACE_ID_BYTES = 16

const SERVER_OPTIONS = {
  /** The whole head (aws-behaviour §1.12). */
  maxHeaderSize: 64 * 1024,
  /** A head that has begun must end within the default idle timeout. */
  headersTimeout: 60_000,
  // Bodies may take as long as they like, and a header that announces how long idle connections live is not AWS's.
  requestTimeout: 0,
  keepAliveTimeout: 0,
  // The balancer answers a missing Host with a page of its own.
  requireHostHeader: false,
} as const

/** @throws the system's own error, such as `EADDRINUSE`, when the address cannot be had. */
export async function startListener(config: ListenerConfig, deps: ListenerDeps): Promise<Listener> {
  const { clock, ids, events, nodes, targetGroups, connections: targetConnections } = deps
  const connections = new Map<Duplex, Connection>()
  const server = createServer(SERVER_OPTIONS)
  // The size of the head is limited; a limit of their number would silently leave headers out.
  server.maxHeadersCount = 0
  const { host } = config
  const port = await listen(server, config)
  const route = createRouter(config, targetGroups)
  serve(server, createTraffic({ clock, ids, events, route, listenerPort: port, connections: targetConnections }))

  let drained: Promise<void> | undefined
  const drain = (): Promise<void> => {
    for (const { open, latest } of connections.values()) if (open > 0) latest?.once('close', closeIdle)
    return (drained ??= close(server))
  }

  return {
    host,
    port,
    drain,
    async stop() {
      const closed = drain()
      for (const socket of connections.keys()) socket.destroy()
      await closed
    },
  }

  function serve(on: Server, traffic: Traffic): void {
    let taken = 0
    on.on('connection', (socket) => {
      if (connections.has(socket)) return
      connections.set(
        socket,
        createConnection(socket, { node: taken % nodes, traceId: `TID_${ids.hex(TRACE_ID_BYTES)}` }),
      )
      taken += 1
      socket.once('close', () => connections.delete(socket))
    })
    on.on('request', (request, response) => {
      traffic.onRequest(request, response, connectionOf(request.socket))
      if (drained) response.once('close', closeIdle)
    })
    on.on('upgrade', (request, socket, head) => {
      const upgrade = { request, socket, head }
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') readAsPlain(on, upgrade)
      else traffic.onWebSocket(upgrade, connectionOf(request.socket))
    })
    on.on('clientError', onClientError)
  }

  /** A connection counts as idle a moment after its response has closed. */
  function closeIdle(): void {
    setImmediate(() => server.closeIdleConnections())
  }

  function connectionOf(socket: Socket): Connection {
    const known = connections.get(socket)
    if (known) return known
    throw new Error('A request came over a connection that its listener never took.')
  }

  /** Something that is no HTTP, or a body that breaks off in the middle. */
  function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = connections.get(socket)
    if (!connection || !socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    const { open, latest } = connection
    if (open === 1 && latest) {
      latest.shouldKeepAlive = false
      // Its program may be waiting for the rest of the body, which nobody will send.
      latest.once('close', () => latest.req.destroy())
      return takeOver(latest, status, clock.now())
    }
    // Between the answers to earlier requests there is no place for this one.
    if (open > 1) return void socket.destroy()
    socket.end(toRawAnswer(status, clock.now()), () => {
      socket.destroy()
      recordMalformed(connection, status, { clock, events })
    })
  }
}

function listen(server: Server, { host, port }: ListenerConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
