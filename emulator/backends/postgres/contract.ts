import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { identify } from '../../core/processes.ts'
import { connectError, notingWatch, portOf } from '../testing.ts'
import type { PostgresAdapter, PostgresBackend, PostgresContext } from './port.ts'

type OnTestFinished = TestContext['onTestFinished']

/** What services may rely on, whoever supplies PostgreSQL. `skipped` says why it cannot run here. */
export function postgresContract(adapter: PostgresAdapter, skipped?: string): void {
  const why = skipped === undefined ? '' : ` (skipped: ${skipped})`
  describe.skipIf(skipped !== undefined)(`postgres contract: ${adapter.name}${why}`, () => {
    sessions(adapter)
    if (adapter.name !== 'external') lives(adapter)
    if (adapter.name === 'embedded' || adapter.name === 'installed') children(adapter)
  })
}

/** Two clients, interleaved: what one connection to a database cannot show. */
function sessions(adapter: PostgresAdapter): void {
  let backend: PostgresBackend
  let stateDir: string
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'aldea-postgres-'))
    backend = await adapter.start(contextIn(stateDir))
  })
  afterAll(async () => {
    await backend.stop()
    await rm(stateDir, { recursive: true })
  })

  test('a notification reaches another session once its transaction is committed', async ({
    expect,
    onTestFinished,
  }) => {
    const [listener, sender] = await clients(backend, onTestFinished)
    const heard: string[] = []
    listener.on('notification', ({ payload = '' }) => heard.push(payload))
    await listener.query('LISTEN organisations')
    await sender.query('BEGIN')
    await sender.query(`NOTIFY organisations, 'rolled back'`)
    await sender.query('ROLLBACK')
    await sender.query('BEGIN')
    await sender.query(`SELECT pg_notify('organisations', 'committed')`)
    await listener.query('SELECT 1')
    expect(heard).toEqual([])
    await sender.query('COMMIT')
    await expect.poll(() => heard).toEqual(['committed'])
  })

  test('a transaction is seen by others whole or not at all', async ({ expect, onTestFinished }) => {
    const [writer, reader] = await clients(backend, onTestFinished)
    await writer.query('CREATE TABLE ledger (seconds numeric)')
    await writer.query('BEGIN')
    await writer.query('INSERT INTO ledger VALUES (1.5), (2.5)')
    expect((await reader.query('SELECT * FROM ledger')).rows).toEqual([])
    await writer.query('COMMIT')
    expect((await reader.query('SELECT sum(seconds) FROM ledger')).rows).toEqual([{ sum: '4.0' }])
    await writer.query('BEGIN')
    await writer.query('DELETE FROM ledger')
    await writer.query('ROLLBACK')
    expect((await reader.query('SELECT count(*)::int FROM ledger')).rows).toEqual([{ count: 2 }])
  })

  test('two workers of one outbox never take the same row', async ({ expect, onTestFinished }) => {
    const [first, second] = await clients(backend, onTestFinished)
    await first.query('CREATE TABLE outbox (id int PRIMARY KEY)')
    await first.query('INSERT INTO outbox SELECT generate_series(1, 4)')
    const take = 'SELECT id FROM outbox ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED'
    await Promise.all([first.query('BEGIN'), second.query('BEGIN')])
    expect((await first.query(take)).rows).toEqual([{ id: 1 }, { id: 2 }])
    expect((await second.query(take)).rows).toEqual([{ id: 3 }, { id: 4 }])
    await Promise.all([first.query('COMMIT'), second.query('COMMIT')])
  })

  test('prepared statements and settings belong to one session', async ({ expect, onTestFinished }) => {
    const [first, second] = await clients(backend, onTestFinished)
    const number = await first.query({ name: 'same-name', text: 'SELECT $1::int AS value', values: [7] })
    const text = await second.query({ name: 'same-name', text: 'SELECT $1::text AS value', values: ['seven'] })
    expect([number.rows, text.rows]).toEqual([[{ value: 7 }], [{ value: 'seven' }]])
    await first.query(`SET statement_timeout = '7s'`)
    expect((await second.query('SHOW statement_timeout')).rows).toEqual([{ statement_timeout: '0' }])
  })

  test('an advisory lock keeps the other session out', async ({ expect, onTestFinished }) => {
    const [first, second] = await clients(backend, onTestFinished)
    const lock = 'SELECT pg_try_advisory_lock(42) AS held'
    expect((await first.query(lock)).rows).toEqual([{ held: true }])
    expect((await second.query(lock)).rows).toEqual([{ held: false }])
    await first.end()
    await expect.poll(async () => (await second.query(lock)).rows).toEqual([{ held: true }])
  })

  test('jsonb is stored, searched and changed', async ({ expect, onTestFinished }) => {
    const [client] = await clients(backend, onTestFinished)
    await client.query('CREATE TABLE plans (body jsonb)')
    await client.query('INSERT INTO plans VALUES ($1), ($2)', [
      { name: 'free', limits: { streams: 1 } },
      { name: 'pro' },
    ])
    await client.query(
      `UPDATE plans SET body = jsonb_set(body, '{limits,streams}', '5') WHERE body @> '{"name":"free"}'`,
    )
    const { rows } = await client.query(`SELECT body FROM plans WHERE body->'limits' ? 'streams'`)
    expect(rows).toEqual([{ body: { name: 'free', limits: { streams: 5 } } }])
  })

  test('a statement that fails says so by its SQLSTATE, and the session goes on', async ({
    expect,
    onTestFinished,
  }) => {
    const [client] = await clients(backend, onTestFinished)
    await client.query('CREATE TABLE keys (hash text PRIMARY KEY)')
    await client.query(`INSERT INTO keys VALUES ('a')`)
    await expect(client.query(`INSERT INTO keys VALUES ('a')`)).rejects.toMatchObject({ code: '23505' })
    expect((await client.query('SELECT * FROM keys')).rows).toEqual([{ hash: 'a' }])
  })

  test('text is UTF-8, sorted by code point, and times are UTC, whatever the machine', async ({
    expect,
    onTestFinished,
  }) => {
    const [client] = await clients(backend, onTestFinished)
    const { rows } = await client.query(
      `SELECT current_setting('server_encoding') AS encoding, current_setting('TimeZone') AS zone,
         lower('ÉCOLE') AS lower, (SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,a,é}'::text[]) AS x) AS sorted`,
    )
    expect(rows).toEqual([{ encoding: 'UTF8', zone: 'UTC', lower: 'école', sorted: 'Babé' }])
  })

  test('changes can be followed by logical replication', async ({ expect, onTestFinished }) => {
    const [client] = await clients(backend, onTestFinished)
    const { rows } = await client.query(
      `SELECT slot_name FROM pg_create_logical_replication_slot('follow', 'pgoutput')`,
    )
    expect(rows).toEqual([{ slot_name: 'follow' }])
    await client.query(`SELECT pg_drop_replication_slot('follow')`)
  })

  test('a hundred sessions are served at once', async ({ expect, onTestFinished }) => {
    const many = await Promise.all(Array.from({ length: 100 }, () => connected(backend.url, onTestFinished)))
    const pids = await Promise.all(many.map(async (client) => (await client.query('SELECT pg_backend_pid()')).rows))
    expect(new Set(pids.map((rows) => JSON.stringify(rows))).size).toBe(100)
  })

  test('nobody gets in without the password', async ({ expect }) => {
    const url = new URL(backend.url)
    url.password = 'guessed'
    const client = new Client({ connectionString: url.href })
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' })
  })

  test.skipIf(process.platform !== 'linux')('it listens on the one loopback address only', async ({ expect }) => {
    expect(await connectError('127.0.0.2', portOf(backend))).toBe('ECONNREFUSED')
  })
}

/** Starts and ends. */
function lives(adapter: PostgresAdapter): void {
  test('data and password are kept from one start to the next', async ({ expect, onTestFinished }) => {
    const stateDir = await temporary(onTestFinished)
    const first = await adapter.start(contextIn(stateDir))
    await query(first, `CREATE TABLE kept AS SELECT 'still here' AS text`)
    await first.stop()
    const second = await started(adapter, contextIn(stateDir), onTestFinished)
    expect(new URL(second.url).password).toBe(new URL(first.url).password)
    expect(await query(second, 'SELECT text FROM kept')).toEqual([{ text: 'still here' }])
  })

  test('two run side by side and know nothing of each other', async ({ expect, onTestFinished }) => {
    const dirs = await Promise.all([temporary(onTestFinished), temporary(onTestFinished)])
    const [one, other] = await Promise.all(dirs.map((dir) => started(adapter, contextIn(dir), onTestFinished)))
    expect(one?.url).not.toBe(other?.url)
    if (one) await query(one, 'CREATE TABLE mine ()')
    expect(other && (await query(other, `SELECT to_regclass('mine') AS found`))).toEqual([{ found: null }])
  })

  test('a taken port is an error that names its holder', async ({ expect, onTestFinished }) => {
    const holder = await started(adapter, contextIn(await temporary(onTestFinished)), onTestFinished)
    const port = portOf(holder)
    const second = adapter.start({ ...contextIn(await temporary(onTestFinished)), port })
    await expect(second).rejects.toMatchObject({ code: 'ALDEA_PORT_TAKEN' })
    await expect(second).rejects.toThrow(new RegExp(`${port}.*pid \\d+`))
  })

  test('a database of another name is added to kept data', async ({ expect, onTestFinished }) => {
    const stateDir = await temporary(onTestFinished)
    const first = await adapter.start(contextIn(stateDir))
    await query(first, `SELECT pg_create_logical_replication_slot('kept', 'pgoutput')`)
    await first.stop()
    const backend = await started(adapter, { ...contextIn(stateDir), database: 'an "odd" name' }, onTestFinished)
    expect(await query(backend, 'SELECT current_database()')).toEqual([{ current_database: 'an "odd" name' }])
  })
}

/** What is known of a server that is a child of ours, with its data in the state folder. */
function children(adapter: PostgresAdapter): void {
  test('what was committed survives a SIGKILL of the server, which comes back at the same address', async ({
    expect,
    onTestFinished,
  }) => {
    const stateDir = await temporary(onTestFinished)
    const { heard, watch } = notingWatch()
    const backend = await started(adapter, { ...contextIn(stateDir), watch }, onTestFinished)
    await query(backend, 'CREATE TABLE ledger AS SELECT generate_series(1, 1000) AS id')
    const client = await connected(backend.url, onTestFinished)
    const { pid } = JSON.parse(await readFile(join(stateDir, 'child.json'), 'utf8')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['postgres ended with SIGKILL.', 'restored'])
    expect(await identify(pid)).toBeUndefined()
    await expect(client.query('SELECT 1')).rejects.toThrow()
    expect(await query(backend, 'SELECT count(*)::int FROM ledger')).toEqual([{ count: 1000 }])
  })

  test('stopping ends open sessions and leaves no process and no record', async ({ expect, onTestFinished }) => {
    const stateDir = await temporary(onTestFinished)
    const backend = await adapter.start(contextIn(stateDir))
    const client = await connected(backend.url, onTestFinished)
    const record = join(stateDir, 'child.json')
    const { pid } = JSON.parse(await readFile(record, 'utf8')) as { pid: number }
    await Promise.all([backend.stop(), backend.stop()])
    expect(await identify(pid)).toBeUndefined()
    await expect(readFile(record)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(client.query('SELECT 1')).rejects.toThrow()
  })

  test('data of another major version are refused and left alone', async ({ expect, onTestFinished }) => {
    const stateDir = await temporary(onTestFinished)
    await (await adapter.start(contextIn(stateDir))).stop()
    const version = join(stateDir, 'data', 'PG_VERSION')
    await writeFile(version, '14\n')
    await expect(adapter.start(contextIn(stateDir))).rejects.toMatchObject({ code: 'ALDEA_STATE_MISMATCH' })
    expect(await readFile(version, 'utf8')).toBe('14\n')
  })

  test('the pid file of a killed server does not matter when its pid is another program now', async ({
    expect,
    onTestFinished,
  }) => {
    const stateDir = await temporary(onTestFinished)
    await (await adapter.start(contextIn(stateDir))).stop()
    const dataDir = join(stateDir, 'data')
    await writeFile(join(dataDir, 'postmaster.pid'), `${process.ppid}\n${dataDir}\n`)
    const backend = await started(adapter, contextIn(stateDir), onTestFinished)
    expect(await query(backend, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
}

function contextIn(stateDir: string): PostgresContext {
  return { stateDir, port: 0, database: 'aldea', log: silentLog }
}

async function temporary(onTestFinished: OnTestFinished): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aldea-postgres-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

async function started(
  adapter: PostgresAdapter,
  context: PostgresContext,
  onTestFinished: OnTestFinished,
): Promise<PostgresBackend> {
  const backend = await adapter.start(context)
  onTestFinished(() => backend.stop())
  return backend
}

async function clients({ url }: PostgresBackend, onTestFinished: OnTestFinished): Promise<[Client, Client]> {
  return [await connected(url, onTestFinished), await connected(url, onTestFinished)]
}

async function connected(url: string, onTestFinished: OnTestFinished): Promise<Client> {
  const client = new Client({ connectionString: url })
  // A server that goes away while we are connected is told by the next query.
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function query({ url }: PostgresBackend, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
