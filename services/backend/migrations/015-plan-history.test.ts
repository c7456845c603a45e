import { test } from 'vitest'
import { systemClock } from '../../wire/clock.ts'
import { silentLog } from '../../wire/log.ts'
import { migrate } from '../database/migrate.ts'
import { createSchema, usePostgres } from '../testing.ts'
import { migrations } from './all.ts'

const openDatabase = usePostgres()

test('plans that were changed before the history was kept are in it', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const { pool } = database
  const before = migrations.slice(
    0,
    migrations.findIndex(({ name }) => name === '015-plan-history'),
  )
  await migrate(pool, { migrations: before, clock: systemClock, log: silentLog })
  await pool.query(`
    INSERT INTO organisations VALUES ('acme', 'Acme', '2026-01-10'), ('beta', 'Beta', '2026-01-10');
    INSERT INTO subscriptions VALUES ('acme', 'free', '2026-03-01'), ('beta', 'growth', '2026-01-20');
    INSERT INTO audit_log (organisation_id, actor_id, actor_name, action, target, details, at) VALUES
      ('acme', 'u', 'u', 'plan.changed', 'acme', '{"from":"free","to":"growth"}', '2026-02-01'),
      ('acme', 'u', 'u', 'plan.changed', 'acme', '{"from":"growth","to":"free"}', '2026-03-01'),
      ('acme', 'u', 'u', 'plan.changed', 'acme', '{"from":"free","to":"growth"}', '2025-12-01'),
      ('gone', 'u', 'u', 'plan.changed', 'gone', '{"from":"free","to":"growth"}', '2026-02-01')`)

  await createSchema(database)

  const { rows } = await pool.query<{ text: string }>(
    `SELECT organisation_id || ' ' || plan || ' ' || to_char(since, 'MM-DD') AS text FROM plan_history ORDER BY 1`,
  )
  // What an organisation of the same id did before it was deleted is not this one's.
  expect(rows.map(({ text }) => text)).toEqual(['acme free 03-01', 'acme growth 02-01', 'beta growth 01-20'])
})
