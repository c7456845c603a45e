import { once } from 'node:events'
import { Socket } from 'node:net'
import { type ClientBase, Pool } from 'pg'
import { type ApiError, unavailable } from '../wire/api-error.ts'
import type { Log } from '../wire/log.ts'

/** A pool of connections that are opened when first needed and replaced when lost. The last one stays open. */
export interface Postgres {
  readonly pool: Pool
  /** Lets queries in hand finish, then hangs up. Idempotent. */
  end(): Promise<void>
  /** Hangs up at once. */
  abandon(): void
}

/** Nothing here asks for more than a page; a statement that takes this long hangs. */
const STATEMENT_TIMEOUT_MS = 5_000
/** Nothing waits for anybody else within a transaction; one that idles this long hangs. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MS = 2_000
const MAX_CONNECTIONS = 5
/** Stays open however long nobody asks: a new connection costs many times what a query does. */
const KEPT_CONNECTIONS = 1
/** A kept connection whose server vanished is missed after this and some probes. */
const KEEP_ALIVE_AFTER_MS = 5_000

export function openPostgres(url: string, { name, log }: { readonly name: string; readonly log: Log }): Postgres {
  const sockets = new Set<Socket>()
  const pool = new Pool({
    connectionString: url,
    application_name: name,
    max: MAX_CONNECTIONS,
    min: KEPT_CONNECTIONS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    allowExitOnIdle: true,
    // The driver has no way to hang up without a goodbye, so the sockets are ours.
    stream: () => tracked(sockets),
  })
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', ({ message }) => {
    if (!ended) log.warn({ reason: message }, 'postgres connection lost')
  })
  let ended: Promise<void> | undefined

  async function end(): Promise<void> {
    await pool.end()
    // The pool says goodbye and does not wait for the answer.
    await Promise.all(Array.from(sockets, (socket) => once(socket, 'close')))
  }

  return {
    pool,
    end: () => (ended ??= end()),
    abandon() {
      ended ??= pool.end()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Runs `work` in one transaction; what it throws rolls back. */
export async function transaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failure: Error | undefined
  // A connection lost between two queries is told by the next query.
  const ignore = (): void => undefined
  client.on('error', ignore)
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((lost: Error) => (failure = lost))
    throw error
  } finally {
    client.off('error', ignore)
    client.release(failure)
  }
}

/** The refusal to answer with when PostgreSQL is away; undefined for an error of any other kind. */
export function toUnavailable(error: unknown): ApiError | undefined {
  return isAway(error) ? unavailable('The database cannot be reached right now.', error) : undefined
}

/** What to tell whoever starts a program: where PostgreSQL was looked for. Other errors stay as they are. */
export function toStartError(url: string, error: unknown): unknown {
  if (!isAway(error)) return error
  return new Error(`PostgreSQL at ${new URL(url).host} cannot be reached: ${error.message}.`, { cause: error })
}

/** Whether trying again later may help: no connection, or one that the server ended. */
function isAway(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === undefined) return CONNECTION_MESSAGES.test(error.message)
  return SOCKET_CODES.has(code) || AWAY_CLASSES.test(code)
}

/** The driver gives these no code. */
const CONNECTION_MESSAGES = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered)/
const SOCKET_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT'])
/** SQLSTATE: connection exception, insufficient resources, operator intervention. */
const AWAY_CLASSES = /^(08|53|57)[0-9A-Z]{3}$/

function tracked(sockets: Set<Socket>): Socket {
  const socket = new Socket()
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  return socket
}
