import { test, vi } from 'vitest'
import { silentLog } from '../wire/log.ts'
import { usePostgres } from '../backend/testing.ts'
import { openPostgres } from './postgres.ts'

const openDatabase = usePostgres()

test('one connection stays, however long nobody asks', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  // The driver closes idle connections by timers of its own.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { pool, end } = openPostgres(database.url, { name: 'quiet', log: silentLog })
  onTestFinished(end)
  const session = async (): Promise<unknown> => (await pool.query('SELECT pg_backend_pid() AS pid')).rows
  await Promise.all([session(), session(), session()])
  const hourMs = 3_600_000

  vi.advanceTimersByTime(hourMs)
  const before = await session()
  vi.advanceTimersByTime(hourMs)

  expect(pool.totalCount).toBe(1)
  expect(await session()).toEqual(before)
})
