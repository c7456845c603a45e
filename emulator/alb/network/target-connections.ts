import { type Socket, connect } from 'node:net'
import type { Clock, Timer } from '../../../services/wire/clock.ts'
import type { NetworkTarget } from '../model.ts'

/** What happens on a connection, told to whoever has it. Nothing comes after `onClose`. */
export interface ConnectionUser {
  onConnect(): void
  /** `chunk` is overwritten by the next read of any connection. */
  onData(chunk: Buffer): void
  /** What was written has left: there is room for more. */
  onDrain(): void
  /** The target has said its last byte. */
  onEnd(): void
  /** The connection is gone; `error` when it broke or never was. */
  onClose(error: NodeJS.ErrnoException | undefined): void
}

/** One connection to a target, for one request at a time. */
export interface TargetConnection {
  readonly socket: Socket
  /** Whether it ever came about. */
  isConnected: boolean
  user: ConnectionUser | undefined
}

/** The balancer's kept-alive connections to its network targets. */
export interface TargetConnections {
  /** The connection that has been idle for the shortest time, else a new one. */
  take(target: NetworkTarget, user: ConnectionUser): TargetConnection
  /** Always a new one. */
  open(target: NetworkTarget, user: ConnectionUser): TargetConnection
  /** Keeps a connection whose answer is whole for the next request. */
  give(target: NetworkTarget, connection: TargetConnection): void
  /** Closes those that are idle; of one target alone when it is named. */
  closeIdle(target?: NetworkTarget): void
}

interface Idle {
  readonly connection: TargetConnection
  readonly until: number
}

interface Pool {
  readonly idle: Idle[]
  timer: Timer | undefined
}

/** Every read of every connection lands here, and what is kept of it is copied at once: a buffer of its own for each read keeps the garbage collector busy. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * A connection that has no request for `idleMs` is closed. One that the target closes first, just as a request goes
 * out, costs that request a 502: nothing is ever sent twice (aws-behaviour §1.12).
 */
export function createTargetConnections(clock: Clock, idleMs: number): TargetConnections {
  const pools = new Map<NetworkTarget, Pool>()

  function poolOf(target: NetworkTarget): Pool {
    const known = pools.get(target)
    if (known) return known
    const pool: Pool = { idle: [], timer: undefined }
    pools.set(target, pool)
    target.gone.addEventListener('abort', () => closePool(target, pool), { once: true })
    return pool
  }

  function closePool(target: NetworkTarget, pool: Pool): void {
    pools.delete(target)
    pool.timer?.cancel()
    for (const { connection } of pool.idle.splice(0)) connection.socket.destroy()
  }

  function open(target: NetworkTarget, user: ConnectionUser): TargetConnection {
    const onRead = (length: number): boolean => {
      // Nobody asked for it, so nobody can tell what it answers.
      if (connection.user) connection.user.onData(READ_BUFFER.subarray(0, length))
      else socket.destroy()
      return true
    }
    const onread = { buffer: READ_BUFFER, callback: onRead }
    const socket = connect({ host: target.host, port: target.port, noDelay: true, onread })
    const connection: TargetConnection = { socket, isConnected: false, user }
    let failure: NodeJS.ErrnoException | undefined
    socket.on('connect', () => {
      connection.isConnected = true
      connection.user?.onConnect()
    })
    socket.on('drain', () => connection.user?.onDrain())
    socket.on('end', () => {
      if (connection.user) connection.user.onEnd()
      else forget(target, connection)
    })
    socket.on('error', (error) => (failure = error))
    socket.on('close', () => {
      forget(target, connection)
      connection.user?.onClose(failure)
    })
    return connection
  }

  function forget(target: NetworkTarget, connection: TargetConnection): void {
    const idle = pools.get(target)?.idle
    const index = idle?.findIndex((each) => each.connection === connection) ?? -1
    if (index >= 0) idle?.splice(index, 1)
  }

  /** One timer for all idle connections of a target, at the end of the one that is idle the longest. */
  function expire(pool: Pool): void {
    const nowMs = clock.now()
    while (pool.idle[0] && pool.idle[0].until <= nowMs) pool.idle.shift()?.connection.socket.destroy()
    const oldest = pool.idle[0]
    pool.timer = oldest ? clock.after(oldest.until - nowMs, () => expire(pool)) : undefined
  }

  return {
    open,
    take(target, user) {
      const idle = pools.get(target)?.idle
      for (let kept = idle?.pop(); kept; kept = idle?.pop()) {
        const { connection } = kept
        if (connection.socket.destroyed || !connection.socket.writable) continue
        connection.user = user
        return connection
      }
      return open(target, user)
    },
    give(target, connection) {
      connection.user = undefined
      if (target.gone.aborted || connection.socket.destroyed) return void connection.socket.destroy()
      // Its last answer may have been too fast for its client.
      connection.socket.resume()
      const pool = poolOf(target)
      pool.idle.push({ connection, until: clock.now() + idleMs })
      pool.timer ??= clock.after(idleMs, () => expire(pool))
    },
    closeIdle(target) {
      for (const [each, pool] of pools) if (!target || target === each) closePool(each, pool)
    },
  }
}
