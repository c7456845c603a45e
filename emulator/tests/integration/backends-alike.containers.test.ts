import { readFile } from 'node:fs/promises'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { test, type TestContext } from 'vitest'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import type { BackendOptions } from '../../core/environment-options.ts'
import type { EnvironmentEvent } from '../../core/events.ts'
import { startTestEnvironment } from '../test-environment.ts'

const HASH = 'd'.repeat(64)

test('containers and embedded servers play one scenario with the same events', async ({ expect, onTestFinished }) => {
  const embedded = await play('embedded', expect, onTestFinished)
  const container = await play('container', expect, onTestFinished)

  expect(container).toEqual(embedded)
  expect(embedded).toContain('POST /v1/listen 200 by transcribe')
})

/** A file is recognised, an organisation comes, changes and goes, a stranger is refused; what happened, without what differs each time. */
async function play(
  mode: BackendOptions['mode'],
  expect: TestContext['expect'],
  onTestFinished: TestContext['onTestFinished'],
): Promise<string[]> {
  const environment = await startTestEnvironment({ onTestFinished, backends: { mode } })
  const { variables, url, topology } = environment
  const pool = new Pool({ connectionString: variables['DATABASE_URL'] })
  const redis = new Redis(variables['REDIS_URL'] ?? '')
  const soon = { timeout: 10_000 }
  const send = async (key: string): Promise<void> => {
    const headers = { authorization: `Token ${key}`, 'content-type': 'audio/wav' }
    const body = await readFile(fixturePath('audio', 'jfk.wav'))
    await (await fetch(`${url}${topology.demo.path}`, { method: 'POST', headers, body })).arrayBuffer()
  }

  await send(topology.demo.key)
  await send('org_nobody')
  await pool.query(`INSERT INTO organisations VALUES ('acme', 'Acme', to_timestamp(0))`)
  await pool.query(`INSERT INTO limits (organisation_id, max_connections) VALUES ('acme', 3)`)
  await pool.query(`INSERT INTO api_keys VALUES ('key-1', 'acme', $1, '', '', to_timestamp(0))`, [HASH])
  await expect.poll(() => redis.get(`apikey:${HASH}`), soon).toBe('acme')
  await pool.query(`UPDATE limits SET max_connections = 4 WHERE organisation_id = 'acme'`)
  await expect.poll(() => redis.hget('org:acme:limits', 'max_connections'), soon).toBe('4')
  await pool.query(`DELETE FROM organisations WHERE id = 'acme'`)
  await expect.poll(() => redis.exists(`apikey:${HASH}`), soon).toBe(0)

  await pool.end()
  redis.disconnect()
  await environment.stop()
  const happened = (['part.ready', 'part.failed', 'alb.access', 'part.stopped'] as const).flatMap((type) =>
    environment.events.of(type).map(normalised),
  )
  // Parts get ready side by side.
  return happened.toSorted()
}

function normalised(event: EnvironmentEvent): string {
  if (event.type === 'alb.access') {
    const { method, path, status, targetGroup } = event.access
    return `${method} ${path} ${status} by ${targetGroup}`
  }
  return 'part' in event ? `${event.type} ${event.part}` : event.type
}
