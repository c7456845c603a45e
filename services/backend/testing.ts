import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { embeddedPostgres } from '../../emulator/backends/postgres/embedded.ts'
import { installedPostgres } from '../../emulator/backends/postgres/installed.ts'
import type { PostgresBackend } from '../../emulator/backends/postgres/port.ts'
import { openPostgres, type Postgres } from '../account/postgres.ts'
import { startListening, startRedis, type TestRedis, type TestService } from '../account/testing.ts'
import { systemClock } from '../wire/clock.ts'
import { silentLog } from '../wire/log.ts'
import type { Runtime, Variables } from '../wire/runtime.ts'
import { migrate } from './database/migrate.ts'
import { migrations } from './migrations/all.ts'
import { start } from './service.ts'

type OnFinished = (cleanup: () => Promise<void> | void) => void

export const ADMIN_TOKEN = 'test-admin-token'

/** A database of one test, on the server of its file. */
export interface TestDatabase {
  readonly url: string
  /** For the test's own questions. */
  readonly pool: Pool
  /** Ends the server's side of every connection that goes by this name, as a failover would. */
  hangUp(applicationName: string): Promise<number>
}

/** One PostgreSQL for all tests of the file; each test opens a database of its own, which is gone when it ends. */
export function usePostgres(): (onFinished: OnFinished) => Promise<TestDatabase> {
  let stateDir: string
  let server: PostgresBackend
  let admin: Postgres
  let count = 0
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'aldea-backend-'))
    server = await startServer(stateDir)
    admin = openPostgres(server.url, { name: 'test', log: silentLog })
  })
  afterAll(async () => {
    await admin.end()
    await server.stop()
    await rm(stateDir, { recursive: true })
  })

  return async (onFinished) => {
    count += 1
    const name = `test_${count}`
    await admin.pool.query(`CREATE DATABASE ${name}`)
    const url = new URL(server.url)
    url.pathname = `/${name}`
    const { pool, end } = openPostgres(url.href, { name: 'test', log: silentLog })
    onFinished(async () => {
      await end()
      await admin.pool.query(`DROP DATABASE ${name} WITH (FORCE)`)
    })
    return {
      url: url.href,
      pool,
      async hangUp(applicationName) {
        const { rowCount } = await pool.query(HANG_UP, [applicationName])
        return rowCount ?? 0
      },
    }
  }
}

const HANG_UP = `
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = $1 AND datname = current_database()`

/** The schema without a backend, for programs that only read it. */
export async function createSchema({ pool }: TestDatabase): Promise<void> {
  await migrate(pool, { migrations, clock: systemClock, log: silentLog })
}

/** Adds an organisation with keys in force and revoked ones, by their hashes. */
export async function addOrganisation(
  { pool }: TestDatabase,
  id: string,
  { hashes = [], revoked = [] }: { readonly hashes?: readonly string[]; readonly revoked?: readonly string[] } = {},
): Promise<void> {
  const at = new Date(systemClock.now())
  await pool.query('INSERT INTO organisations (id, name, created_at) VALUES ($1, $1, $2)', [id, at])
  await pool.query('INSERT INTO limits (organisation_id) VALUES ($1)', [id])
  await pool.query(
    `INSERT INTO api_keys (id, organisation_id, hash, name, display_prefix, created_at, revoked_at)
     SELECT hash, $1, hash, '', '', $2, CASE WHEN hash = ANY ($4) THEN $2::timestamptz END FROM unnest($3::text[]) AS hash`,
    [id, at, [...hashes, ...revoked], revoked],
  )
}

export interface TestBackend extends TestService {
  readonly database: TestDatabase
  readonly redis: TestRedis
  readonly variables: Variables
}

/** A backend on a port of its own, over an empty database and an empty Redis. */
export async function startBackend(
  onFinished: OnFinished,
  database: TestDatabase,
  { variables, ...runtime }: Partial<Runtime> & { readonly variables?: Variables } = {},
): Promise<TestBackend> {
  const redis = await startRedis(onFinished)
  const all = { DATABASE_URL: database.url, REDIS_URL: redis.url, ADMIN_TOKEN, ...variables }
  const service = await startListening(onFinished, start, all, runtime)
  return { ...service, database, redis, variables: all }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export interface Question {
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks as the platform's owner does, unless told otherwise. */
export async function ask(
  { url }: Pick<TestService, 'url'>,
  request: string,
  { body, token = ADMIN_TOKEN, headers: more }: Question = {},
): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ')
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...more,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const { status, headers } = response
  return { status, headers, body: (await response.json()) as Record<string, unknown> }
}

export const PASSWORD = 'correct horse battery'

export interface TestUser {
  readonly id: string
  readonly email: string
  /** Of a session. */
  readonly token: string
  /** The organisation the user owns. */
  readonly organisation: string
  /** Its first key. */
  readonly key: string
}

/** Signs up, and fails when that is refused. */
export async function signUp(backend: Pick<TestService, 'url'>, email: string): Promise<TestUser> {
  const answer = await ask(backend, 'POST /sign-up', { body: { email, password: PASSWORD, organisation: 'Acme' } })
  if (answer.status !== 201) throw new Error(`${email} cannot sign up: ${JSON.stringify(answer.body)}`)
  const { user, organisation, key, session } = answer.body as unknown as {
    user: { id: string }
    organisation: { id: string }
    key: { key: string }
    session: { token: string }
  }
  return { id: user.id, email, token: session.token, organisation: organisation.id, key: key.key }
}

/** A way to a server that can be cut, as a network or a failover cuts it. */
export interface TestRelay {
  /** The server's URL, by way of the relay. */
  readonly url: string
  cut(): Promise<void>
  mend(): Promise<void>
  /** Holds back what is sent either way, until it is let go. */
  hold(): void
  letGo(): void
}

export async function startRelay(onFinished: OnFinished, target: string): Promise<TestRelay> {
  const url = new URL(target)
  const { hostname, port } = url
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const [socket, peer] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        peer.destroy()
      })
      socket.pipe(peer)
    }
  })
  const listen = async (onPort: number): Promise<void> => {
    server.listen(onPort, '127.0.0.1')
    await once(server, 'listening')
  }
  const cut = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }

  await listen(0)
  onFinished(cut)
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('The relay has no port.')
  url.port = String(address.port)
  return {
    url: url.href,
    cut,
    mend: () => listen(address.port),
    hold() {
      for (const socket of sockets) socket.pause()
    },
    letGo() {
      for (const socket of sockets) socket.resume()
    },
  }
}

async function startServer(stateDir: string): Promise<PostgresBackend> {
  // Shared by all tests of this machine: it holds the same for each of them.
  const cacheDir = join(tmpdir(), 'aldea-test-cache')
  for (const adapter of [embeddedPostgres({ cacheDir }), installedPostgres({ cacheDir })]) {
    const probed = await adapter.probe()
    if (probed.available) return adapter.start({ stateDir, port: 0, database: 'aldea', log: silentLog })
  }
  throw new Error('These tests need PostgreSQL: neither the package nor an installed one is here.')
}
