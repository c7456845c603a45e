import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { RedisServerState as State } from 'js-redis-server/core'
import { throwTaken } from '../../core/ports.ts'
import type { RedisAdapter, RedisContext } from './port.ts'
import { SocketTransport } from './socket-transport.ts'

/** A Redis written in JavaScript, in this process: starts at once, keeps nothing. */
export const emulatedRedis: RedisAdapter = {
  name: 'emulated',
  probe: () => Promise.resolve({ available: true, what: 'js-redis-server in this process' }),
  start: startEmulated,
}

async function startEmulated({ port, log, watch }: RedisContext): ReturnType<RedisAdapter['start']> {
  // Loaded here: half a megabyte that a machine with a real Redis never needs.
  const { attachSession, createRedisCommandExecutor, RedisServerState, resolveCompatibilityProfile } =
    await import('js-redis-server/core')
  const profile = resolveCompatibilityProfile(COMPATIBILITY)
  const emptyState = (): State => new RedisServerState({ databaseCount: DATABASES, compatibility: profile })
  let state = emptyState()
  const executor = createRedisCommandExecutor({ compatibility: profile })
  const sockets = new Set<Socket>()

  // Its own server listens on every interface; this one does not.
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    attachSession(new SocketTransport(socket), {
      state,
      executor,
      logger: { error: (problem) => log.error({ err: problem }, 'redis session failed') },
      clientAddress: `${socket.remoteAddress}:${socket.remotePort}`,
    })
  })
  const address = await listen(server, port)

  let stopping: Promise<void> | undefined
  return {
    url: `redis://127.0.0.1:${address.port}`,
    detail: `127.0.0.1:${address.port}  Redis emulated in this process: no persistence, replication or eviction`,
    isReal: false,
    // What it held is gone, as with a server that keeps nothing on disk.
    kill() {
      watch?.lost('redis was killed; it keeps nothing and comes back empty.')
      for (const socket of sockets) socket.destroy()
      state.close()
      state = emptyState()
      watch?.restored()
    },
    stop: () =>
      (stopping ??= new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
        state.close()
      })),
  }
}

/** Commands and replies as of the Redis that Debian and most clouds run. */
const COMPATIBILITY = 'redis-7.0'
/** Redis's own default. */
const DATABASES = 16

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => void throwTaken(error, port).catch(reject))
    server.listen(port, '127.0.0.1', () => resolve(server.address() as AddressInfo))
  })
}
