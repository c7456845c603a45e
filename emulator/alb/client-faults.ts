import type { ServerResponse } from 'node:http'
import type { Clock } from '../../services/wire/clock.ts'
import type { EventStream } from '../core/events.ts'
import { takeOver, toRawAnswer } from './answers.ts'
import type { OwnStatus } from './own-status.ts'
import type { Connection } from './connection.ts'
import { recordMalformed } from './log/access.ts'
import type { Refusal } from './wire/front.ts'

/** What clients do wrong, or do not do at all. */
export interface ClientFaults {
  /** What was read is no request that may go on. */
  onRefusal(connection: Connection, refusal: Refusal): void
  /** No byte has come or gone for the idle timeout (aws-behaviour §1.12). */
  onIdle(connection: Connection): void
  /** Node's server has met with an error of the connection, or of the HTTP on it. */
  onClientError(error: NodeJS.ErrnoException, connection: Connection): void
}

export function createClientFaults(deps: { readonly clock: Clock; readonly events: EventStream }): ClientFaults {
  const { clock } = deps

  /** A whole answer after those to earlier requests, then the end. */
  function refuseRaw(connection: Connection, status: OwnStatus, refusal?: Refusal): void {
    const { socket, open, latest } = connection
    if (open > 0 && latest)
      return void latest.once('close', () => setImmediate(() => refuseRaw(connection, status, refusal)))
    if (!socket.writable) return void socket.destroy()
    socket.end(toRawAnswer(status, clock.now()), () => {
      socket.destroy()
      recordMalformed(connection, status, { ...deps, verdict: refusal?.verdict })
    })
  }

  /** In the middle of a request: nothing more of it will come. */
  function breakOff(connection: Connection, latest: ServerResponse, status: OwnStatus): void {
    latest.shouldKeepAlive = false
    // Its program may be waiting for the rest of the body.
    latest.once('close', () => latest.req.destroy())
    if (connection.latestExchange) connection.latestExchange.failure ??= 'malformed-request'
    takeOver(latest, status, clock.now())
  }

  return {
    onRefusal(connection, refusal) {
      const { open, latest } = connection
      if (refusal.isBody && open === 1 && latest) breakOff(connection, latest, refusal.status)
      else if (refusal.isBody) connection.socket.destroy()
      else refuseRaw(connection, refusal.status, refusal)
    },

    onIdle(connection) {
      const { socket, open, latest, latestExchange, front } = connection
      if (open === 0 && front?.isInHead) return refuseRaw(connection, 408)
      // Between requests a connection ends without a word.
      if (open === 0 || !latest) return void socket.end(() => socket.destroy())
      if (latestExchange)
        latestExchange.failure ??= latest.headersSent ? 'idle-timeout' : toSilentSide(connection, latest)
      if (latest.headersSent) return void socket.destroy()
      if (latestExchange?.failure === 'idle-timeout') return breakOff(connection, latest, 408)
      takeOver(latest, 504, clock.now())
    },

    onClientError(error, connection) {
      const { socket, open, latest } = connection
      if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
      if (open === 1 && latest) return breakOff(connection, latest, 400)
      // Between the answers to earlier requests there is no place for this one.
      if (open > 1) return void socket.destroy()
      refuseRaw(connection, 400)
    },
  }
}

/** Whether the client owes the rest of its body, or the target its answer. */
function toSilentSide({ front }: Connection, { req }: ServerResponse): 'idle-timeout' | 'target-timeout' {
  const isTakenSlowly = req.readableLength >= req.readableHighWaterMark
  return front?.isInBody === true && !isTakenSlowly ? 'idle-timeout' : 'target-timeout'
}
