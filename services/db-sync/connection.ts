import { Socket } from 'node:net'
import { Client } from 'pg'

/** One connection to PostgreSQL until it is closed or lost. */
export interface Connection {
  readonly client: Client
  /** Resolves when the connection is gone, with the error if there was one. */
  readonly lost: Promise<Error | undefined>
  close(): Promise<void>
  /** Hangs up at once. */
  abandon(): void
}

const CONNECT_TIMEOUT_MS = 2_000
/** Each statement here touches one batch at most; an answer that takes this long does not come. */
const ANSWER_TIMEOUT_MS = 5_000
/** A server whose machine vanished is missed after this and ten probes, a second apart. */
const KEEP_ALIVE_AFTER_MS = 5_000
/** The server lets go of the rows of a reader that froze. Longer than the longest delivery. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 20_000

/** @throws when there is no connection to be had. */
export async function openConnection(url: string): Promise<Connection> {
  // The driver has no way to hang up without a goodbye, so the socket is ours.
  const socket = new Socket()
  const client = new Client({
    connectionString: url,
    application_name: 'db-sync',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    stream: () => socket,
  })
  let failure: Error | undefined
  client.on('error', (error) => (failure = error))
  const lost = new Promise<Error | undefined>((resolve) => {
    client.once('end', () => resolve(failure))
  })
  try {
    await client.connect()
  } catch (error) {
    socket.destroy()
    throw error
  }
  return { client, lost, close: () => client.end(), abandon: () => socket.destroy() }
}
