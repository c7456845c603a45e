import { createHash } from 'node:crypto'
import { type ClientBase, DatabaseError, type Pool } from 'pg'
import { transaction } from '../../account/postgres.ts'
import type { Clock } from '../../wire/clock.ts'
import type { Log } from '../../wire/log.ts'
import type { Migration } from '../migrations/all.ts'

/** Any number will do, as long as every task takes the same. */
const MIGRATION_LOCK = 7_311_600_217

/**
 * Brings the schema up to date: all missing steps in one transaction, one task at a time. Costs one query when there is
 * nothing to do.
 * @throws Error when a step that has run differs from the one known here.
 */
export async function migrate(
  pool: Pool,
  { migrations, clock, log }: { readonly migrations: readonly Migration[]; readonly clock: Clock; readonly log: Log },
): Promise<void> {
  const applied = await readApplied(pool)
  if (missing(migrations, applied, log).length === 0) return

  await transaction(pool, async (client) => {
    // Waiting for another task's migration is no hang.
    await client.query('SET LOCAL statement_timeout = 0')
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    await client.query(CREATE_TABLE)
    for (const migration of missing(migrations, await readApplied(client), log)) {
      await client.query(migration.sql)
      await client.query('INSERT INTO migrations (name, checksum, applied_at) VALUES ($1, $2, to_timestamp($3))', [
        migration.name,
        checksum(migration),
        clock.now() / 1_000,
      ])
      log.info({ migration: migration.name }, 'migration applied')
    }
  })
}

const CREATE_TABLE = `
CREATE TABLE IF NOT EXISTS migrations (
  name text PRIMARY KEY,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL
)`

const UNDEFINED_TABLE = '42P01'

/** Names of the steps that have run, with their checksums. */
async function readApplied(client: Pick<ClientBase, 'query'>): Promise<ReadonlyMap<string, string>> {
  try {
    const { rows } = await client.query<{ name: string; checksum: string }>('SELECT name, checksum FROM migrations')
    return new Map(rows.map((row) => [row.name, row.checksum]))
  } catch (error) {
    if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) return new Map()
    throw error
  }
}

function missing(migrations: readonly Migration[], applied: ReadonlyMap<string, string>, log: Log): Migration[] {
  const changed = migrations.filter((each) => applied.has(each.name) && applied.get(each.name) !== checksum(each))
  if (changed.length > 0) {
    const names = changed.map(({ name }) => name).join(', ')
    throw new Error(`Migration ${names} has changed since it ran on this database. Add a new one instead.`)
  }
  // Normal while an older task still runs beside a newer one.
  const unknown = [...applied.keys()].filter((name) => !migrations.some((each) => each.name === name))
  if (unknown.length > 0) log.warn({ migrations: unknown }, 'database is newer than this program')
  return migrations.filter(({ name }) => !applied.has(name))
}

function checksum({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex')
}
