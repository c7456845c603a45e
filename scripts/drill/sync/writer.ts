import { createHash } from 'node:crypto'
import { Client } from 'pg'
import { systemClock } from '../../../services/wire/clock.ts'

/** What PostgreSQL has acknowledged of one writer's organisations: the limit of each, undefined once deleted. */
export type Ledger = Map<string, number | undefined>

export interface Writer {
  readonly ledger: Ledger
  /** Changes that were acknowledged. */
  readonly acknowledged: number
  /** Changes whose answer was lost or that were refused. */
  readonly failed: number
  /** Resolves when the writer has ended. */
  readonly done: Promise<void>
}

export interface WriterOptions {
  readonly name: string
  readonly random: () => number
  readonly databaseUrl: () => string
  readonly changes: number
  /** Milliseconds from one change to the next. */
  readonly paceMs: number
  readonly signal: AbortSignal
}

/** Each writer has organisations of its own, so that it knows what they must look like. */
const ORGANISATIONS = 40
const RECONNECT_MS = 100
/** A connection may be to a server that is gone without a word. */
const TIMEOUT_MS = 5_000

type Change = (organisation: string) => Promise<number | undefined>

/** Writes random changes one after another, connecting again whenever the database goes. */
export function startWriter(options: WriterOptions): Writer {
  const { name, random, changes, paceMs, signal } = options
  const ledger: Ledger = new Map()
  let client: Client | undefined
  let acknowledged = 0
  let failed = 0
  let serial = 0

  async function connected(): Promise<Client> {
    if (client) return client
    const next = new Client({
      connectionString: options.databaseUrl(),
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    })
    next.on('error', () => undefined)
    await next.connect()
    client = next
    return next
  }

  async function run(sql: string, values: readonly unknown[]): Promise<void> {
    await (await connected()).query(sql, [...values])
  }

  /** A hash that no other key has: only hashes are stored. */
  function newHash(): string {
    serial += 1
    return createHash('sha256').update(`${name}-${serial}`).digest('hex')
  }

  function changesOf(limit: number | undefined): Change[] {
    const value = Math.floor(random() * 1_000)
    if (limit === undefined) return [(id) => run(CREATE, [id, value]).then(() => value)]
    const same = (): number => limit
    return [
      (id) => run('UPDATE limits SET max_connections = $2 WHERE organisation_id = $1', [id, value]).then(() => value),
      (id) => run(ADD_KEY, [id, newHash()]).then(same),
      (id) => run(REVOKE_ONE, [id]).then(same),
      (id) => run('DELETE FROM organisations WHERE id = $1', [id]).then(() => undefined),
    ]
  }

  async function changeOne(): Promise<void> {
    const id = `${name}-${Math.floor(random() * ORGANISATIONS)}`
    try {
      const limit = ledger.has(id) ? ledger.get(id) : await readLimit(await connected(), id)
      const possible = changesOf(limit)
      // Most changes are of limits and keys; one in twenty deletes.
      const choice = random() < 0.05 ? possible.length - 1 : Math.floor(random() * Math.max(1, possible.length - 1))
      ledger.delete(id)
      const next = await possible[choice]?.(id)
      ledger.set(id, next)
      acknowledged += 1
    } catch {
      // The change may have been made or not: what the organisation is like now must be read.
      ledger.delete(id)
      failed += 1
      void client?.end().catch(() => undefined)
      client = undefined
      await systemClock.sleep(RECONNECT_MS)
    }
  }

  async function write(): Promise<void> {
    const began = systemClock.now()
    while (acknowledged < changes && !signal.aborted) {
      const aheadMs = began + acknowledged * paceMs - systemClock.now()
      if (aheadMs > 0) await systemClock.sleep(aheadMs)
      await changeOne()
    }
    await client?.end().catch(() => undefined)
  }

  return {
    ledger,
    done: write(),
    get acknowledged() {
      return acknowledged
    },
    get failed() {
      return failed
    },
  }
}

const CREATE = `
WITH made AS (INSERT INTO organisations (id, name, created_at) VALUES ($1, $1, to_timestamp(0)) RETURNING id)
INSERT INTO limits (organisation_id, max_connections) SELECT id, $2::integer FROM made`

const ADD_KEY = `
INSERT INTO api_keys (id, organisation_id, hash, name, display_prefix, created_at)
VALUES ($2, $1, $2, '', '', to_timestamp(0)) ON CONFLICT DO NOTHING`

const REVOKE_ONE = `
UPDATE api_keys SET revoked_at = to_timestamp(0) WHERE hash =
  (SELECT hash FROM api_keys WHERE organisation_id = $1 AND revoked_at IS NULL ORDER BY hash LIMIT 1)`

/** Undefined when there is no such organisation. */
export async function readLimit(client: Client, id: string): Promise<number | undefined> {
  const { rows } = await client.query<{ max_connections: number }>(
    'SELECT max_connections FROM limits WHERE organisation_id = $1',
    [id],
  )
  return rows[0]?.max_connections
}
