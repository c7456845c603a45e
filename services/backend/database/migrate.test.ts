import { test } from 'vitest'
import { systemClock } from '../../wire/clock.ts'
import { silentLog } from '../../wire/log.ts'
import { type Migration, migrations } from '../migrations/all.ts'
import { type TestDatabase, usePostgres } from '../testing.ts'
import { migrate } from './migrate.ts'

const openDatabase = usePostgres()

const FIRST: Migration = { name: '001-first', sql: 'CREATE TABLE first ()' }
const SECOND: Migration = { name: '002-second', sql: 'CREATE TABLE second ()' }

function run({ pool }: TestDatabase, steps: readonly Migration[]): Promise<void> {
  return migrate(pool, { migrations: steps, clock: systemClock, log: silentLog })
}

async function tables({ pool }: TestDatabase): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

test('tasks that start at once apply every step once', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)

  await Promise.all(Array.from({ length: 4 }, () => run(database, migrations)))

  expect(await tables(database)).toEqual([
    'api_keys',
    'audit_log',
    'credit_movements',
    'idempotency_keys',
    'invitations',
    'limits',
    'memberships',
    'migrations',
    'organisation_outbox',
    'organisation_versions',
    'organisations',
    'plan_history',
    'sessions',
    'subscriptions',
    'usage_ledger',
    'users',
  ])
  const { rows } = await database.pool.query('SELECT name FROM migrations ORDER BY name')
  expect(rows).toEqual(migrations.map(({ name }) => ({ name })))
})

test('only what is missing is applied', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await run(database, [FIRST])
  await run(database, [FIRST, SECOND])
  await run(database, [FIRST, SECOND])
  expect(await tables(database)).toEqual(['first', 'migrations', 'second'])
})

test('a step that changed after it ran is refused, and nothing is applied', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await run(database, [FIRST])
  const changed = { ...FIRST, sql: 'CREATE TABLE another ()' }
  await expect(run(database, [changed, SECOND])).rejects.toThrow('Migration 001-first has changed')
  expect(await tables(database)).toEqual(['first', 'migrations'])
})

test('a step that fails leaves nothing behind', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await expect(run(database, [FIRST, { name: '002-broken', sql: 'CREATE TABLE' }])).rejects.toMatchObject({
    code: '42601',
  })
  expect(await tables(database)).toEqual([])
})

test('a database that a newer program has changed is used as it is', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await run(database, [FIRST, SECOND])
  await run(database, [FIRST])
  expect(await tables(database)).toEqual(['first', 'migrations', 'second'])
})

test('no step asks for the time of day', ({ expect }) => {
  for (const { sql } of migrations) expect(sql).not.toMatch(/now\s*\(|current_(timestamp|date|time)|clock_timestamp/i)
})
