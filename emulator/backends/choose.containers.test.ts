import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { createEventStream } from '../core/events.ts'
import { choosePostgres } from './choose.ts'
import { requireEngine } from './container/image-probe.ts'
import { removeLeftovers } from './container/leftovers.ts'
import { CONTAINER_DEFAULTS } from './container/options.ts'

test('auto goes on when a container does not come up', async ({ expect, onTestFinished }) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'aldea-choose-'))
  onTestFinished(async () => {
    await rm(stateDir, { recursive: true })
    await removeLeftovers(await requireEngine(CONTAINER_DEFAULTS))
  })
  // It is there, and has no PostgreSQL in it.
  const images = { ...CONTAINER_DEFAULTS.images, postgres: CONTAINER_DEFAULTS.images.redis }
  const options = {
    name: 'postgres',
    database: 'aldea',
    stateDir,
    cacheDir: join(tmpdir(), 'aldea-test-cache'),
    redisBinary: undefined,
    port: 0,
    log: silentLog,
    clock: systemClock,
    events: createEventStream(),
    container: { ...CONTAINER_DEFAULTS, images },
  }
  const postgres = await choosePostgres({ ...options, mode: 'auto' })
  onTestFinished(() => postgres.stop())
  expect(postgres.detail).toMatch(/PostgreSQL .* embedded$/)
  expect(options.events.of('backend.declined')).toMatchObject([
    { adapter: 'container', reason: expect.stringContaining('postgres did not become ready in its container') },
  ])
})
