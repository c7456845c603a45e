import { Client, DatabaseError } from 'pg'
import { waitFor } from '../../core/processes.ts'

/** Between two attempts while a server starts up. */
const RETRY_MS = 20
const CONNECT_TIMEOUT_MS = 5_000
/** After that, a server that still starts up is said to be one that does not. */
const MOST_ATTEMPTS = 1_500

/**
 * Makes `database` where it is absent, as `url` names it or not; answers the server's version, `16.3`. Waits for a
 * server that is starting up.
 */
export async function ensureDatabase(url: string, database: string): Promise<string> {
  const client = await connected(urlWith(url, 'postgres'))
  try {
    const { rows } = await client.query<{ version: string; exists: boolean }>(
      `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
         EXISTS (SELECT FROM pg_database WHERE datname = $1) AS exists`,
      [database],
    )
    if (rows[0]?.exists !== true) await createDatabase(client, database)
    return rows[0]?.version ?? ''
  } finally {
    await client.end()
  }
}

/** The same server, another database. */
export function urlWith(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(database)}`
  return changed.href
}

async function connected(url: string): Promise<Client> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
    // The next query tells that the server has gone away.
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      if (!isStartingUp(error) || attempt === MOST_ATTEMPTS) throw error
      await waitFor(RETRY_MS)
    }
  }
}

/** SQLSTATE 57P03 is cannot_connect_now. */
function isStartingUp(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '57P03'
}

async function createDatabase(client: Client, database: string): Promise<void> {
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)} TEMPLATE template0`)
  } catch (error) {
    // 42P04 is duplicate_database, 23505 the same a moment earlier: somebody else was quicker.
    if (!(error instanceof DatabaseError && (error.code === '42P04' || error.code === '23505'))) throw error
  }
}
