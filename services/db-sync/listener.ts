import { Socket } from 'node:net'
import { Client } from 'pg'

/** One connection that hears notifications until it is closed or lost. */
export interface Listener {
  /** Resolves when the connection is gone, with the error if there was one. */
  readonly lost: Promise<Error | undefined>
  close(): Promise<void>
  /** Hangs up at once. */
  abandon(): void
}

const CONNECT_TIMEOUT_MS = 2_000

/** @throws when there is no connection to be had. */
export async function openListener(
  url: string,
  { channel, onPayload }: { readonly channel: string; readonly onPayload: (payload: string) => void },
): Promise<Listener> {
  const socket = new Socket()
  const client = new Client({
    connectionString: url,
    application_name: 'db-sync',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // A server that vanished without a word would otherwise never be missed: nothing is ever sent here.
    keepAlive: true,
    stream: () => socket,
  })
  let failure: Error | undefined
  client.on('error', (error) => (failure = error))
  const lost = new Promise<Error | undefined>((resolve) => {
    client.once('end', () => resolve(failure))
  })
  client.on('notification', ({ payload = '' }) => onPayload(payload))
  try {
    await client.connect()
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`)
  } catch (error) {
    socket.destroy()
    throw error
  }
  return { lost, close: () => client.end(), abandon: () => socket.destroy() }
}
