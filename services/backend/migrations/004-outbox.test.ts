import { test } from 'vitest'
import { systemClock } from '../../wire/clock.ts'
import { silentLog } from '../../wire/log.ts'
import { migrate } from '../database/migrate.ts'
import { addOrganisation, createSchema, type TestDatabase, usePostgres } from '../testing.ts'
import { migrations } from './all.ts'

const openDatabase = usePostgres()

type OnFinished = Parameters<typeof openDatabase>[0]

/** A database with the organisation acme and one key, whose creation has left the outbox. */
async function withAcme(onFinished: OnFinished): Promise<TestDatabase> {
  const database = await openDatabase(onFinished)
  await createSchema(database)
  await addOrganisation(database, 'acme', { hashes: ['a'.repeat(64)] })
  await database.pool.query('DELETE FROM organisation_outbox')
  return database
}

async function pending({ pool }: TestDatabase): Promise<readonly (readonly [string, number])[]> {
  const { rows } = await pool.query<{ id: string; version: number }>(
    'SELECT organisation_id AS id, version::float8 AS version FROM organisation_outbox ORDER BY sequence',
  )
  return rows.map(({ id, version }) => [id, version] as const)
}

test.for<[string, string]>([
  ['a new key', `INSERT INTO api_keys SELECT 'k', 'acme', repeat('b', 64), '', '', to_timestamp(0)`],
  ['a revoked key', `UPDATE api_keys SET revoked_at = to_timestamp(0)`],
  ['a deleted key', 'DELETE FROM api_keys'],
  ['other limits', 'UPDATE limits SET max_connections = 1'],
  ['limits that are gone', 'DELETE FROM limits'],
  ['another name', `UPDATE organisations SET name = 'Other'`],
  ['a deleted organisation, with limits and keys', 'DELETE FROM organisations'],
  ['an emptied table', 'TRUNCATE organisations CASCADE'],
])('%s leaves one row, by whatever hand', async ([, sql], { expect, onTestFinished }) => {
  const database = await withAcme(onTestFinished)

  await database.pool.query(sql)

  expect(await pending(database)).toEqual([['acme', 4]])
})

test('a transaction is one change, however many statements it has, and none when it is rolled back', async ({
  expect,
  onTestFinished,
}) => {
  const database = await withAcme(onTestFinished)

  await database.pool.query(`BEGIN; UPDATE limits SET max_connections = 1; DELETE FROM api_keys;
    UPDATE organisations SET name = 'Other'; COMMIT`)
  await database.pool.query('BEGIN; UPDATE limits SET max_connections = 2; ROLLBACK')
  await database.pool.query('UPDATE limits SET max_connections = 3')

  expect(await pending(database)).toEqual([
    ['acme', 4],
    ['acme', 5],
  ])
})

test('the version of an id goes on growing when it is deleted and used again', async ({ expect, onTestFinished }) => {
  const database = await withAcme(onTestFinished)

  await database.pool.query('DELETE FROM organisations')
  await addOrganisation(database, 'acme')

  expect(await pending(database)).toEqual([
    ['acme', 4],
    ['acme', 5],
    ['acme', 6],
  ])
})

test('a key that moves changes both organisations', async ({ expect, onTestFinished }) => {
  const database = await withAcme(onTestFinished)
  await addOrganisation(database, 'beta')
  await database.pool.query('DELETE FROM organisation_outbox')

  await database.pool.query(`UPDATE api_keys SET organisation_id = 'beta'`)

  expect((await pending(database)).map(([id]) => id)).toEqual(['acme', 'beta'])
})

test('writers of one organisation at once get versions in the order of their commits', async ({
  expect,
  onTestFinished,
}) => {
  const database = await withAcme(onTestFinished)

  await Promise.all(
    Array.from({ length: 20 }, (_, index) => database.pool.query('UPDATE limits SET max_connections = $1', [index])),
  )

  const versions = (await pending(database)).map(([, version]) => version)
  expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 4))
})

test('versions go on from where they were before', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const before = migrations.slice(0, 3)
  await migrate(database.pool, { migrations: before, clock: systemClock, log: silentLog })
  await addOrganisation(database, 'acme', { hashes: ['a'.repeat(64), 'b'.repeat(64)] })
  await createSchema(database)

  await database.pool.query('UPDATE limits SET max_connections = 1')

  expect(await pending(database)).toEqual([['acme', 4]])
})
