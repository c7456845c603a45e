import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'vitest'
import { addOrganisation, createSchema, startRelay, usePostgres } from '../backend/testing.ts'
import { startQueue } from './testing.ts'

const openDatabase = usePostgres()

test('runs alone, outlives the loss of its connections and stops on SIGTERM', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  await createSchema(database)
  const queue = await startQueue(onTestFinished)
  const relay = await startRelay(onTestFinished, database.url)
  const child = spawn(process.execPath, ['--import', 'tsx', 'services/db-sync/main.ts'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: relay.url, ...queue.variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const exited = once(child, 'exit')
  const messages: string[] = []
  // Every line is ours: the SDK's warning about this version of Node would be no JSON.
  createInterface(child.stderr).on('line', (line) => messages.push((JSON.parse(line) as { msg: string }).msg))
  const listening = `SELECT FROM pg_stat_activity WHERE application_name = 'db-sync' AND datname = current_database()
    AND state = 'idle' AND query LIKE 'LISTEN%'`
  await expect.poll(async () => (await database.pool.query(listening)).rowCount, { timeout: 20_000 }).toBe(1)

  await relay.cut()
  await expect.poll(() => messages).toContain('postgres connection lost')
  await relay.mend()
  await expect.poll(() => messages, { timeout: 10_000 }).toContain('listening again')
  await addOrganisation(database, 'acme')
  await expect.poll(() => queue.messages().at(-1)).toMatchObject({ organisation: 'acme' })

  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})
