import { Redis } from 'ioredis'
import { Client } from 'pg'
import { test } from 'vitest'
import { requireEngine } from '../../backends/container/image-probe.ts'
import { CONTAINER_DEFAULTS } from '../../backends/container/options.ts'
import { LABEL } from '../../backends/container/owner.ts'
import { startTestEnvironment } from '../test-environment.ts'

const BACKENDS = ['postgres', 'redis', 'sqs']

test('PostgreSQL, Redis and the queue start side by side in containers, and none is left at the end', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished, backends: { mode: 'container' } })
  const { events, backends, queueUrls } = environment
  const ofBackends = ({ part }: { readonly part: string }): boolean => BACKENDS.includes(part)
  const starting = events.of('part.starting').filter(ofBackends)
  const ready = events.of('part.ready').filter(ofBackends)
  expect(events.of('backend.declined')).toEqual([])
  expect(ready.map(({ part }) => part).toSorted()).toEqual(BACKENDS)
  for (const { detail } of ready) expect(detail).toMatch(/ container$/)
  // Each has begun before the first has come to its end.
  expect(Math.max(...starting.map(({ at }) => at))).toBeLessThanOrEqual(Math.min(...ready.map(({ at }) => at)))

  const client = new Client(backends['postgres'])
  await client.connect()
  expect((await client.query('SELECT count(*)::int AS count FROM organisations')).rows).toEqual([{ count: 1 }])
  await client.end()
  const redis = new Redis(backends['redis'] ?? '')
  expect(await redis.ping()).toBe('PONG')
  redis.disconnect()
  const url = Object.values(queueUrls)[0] ?? ''
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ Action: 'GetQueueAttributes' }) })
  expect(answer.status).toBe(200)
  await answer.text()

  expect(await ours()).toHaveLength(BACKENDS.length)
  await environment.stop()
  expect(await ours()).toEqual([])
})

/** Containers of this process. */
async function ours(): Promise<unknown> {
  const engine = await requireEngine(CONTAINER_DEFAULTS)
  const filters = new URLSearchParams({ filters: JSON.stringify({ label: [`${LABEL.pid}=${process.pid}`] }) })
  return engine.call('GET', `/containers/json?${filters.toString()}`)
}
