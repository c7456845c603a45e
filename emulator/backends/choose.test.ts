import { test } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { createEventStream } from '../core/events.ts'
import { choose, chooseRedis } from './choose.ts'
import { emulatedRedis } from './redis/emulated.ts'
import { installedRedis } from './redis/installed.ts'

const missing = installedRedis({ binary: '/nowhere/redis-server' })
const REASON = '/nowhere/redis-server was not found.'

test('the first adapter that can run is taken, and those before it say why they are not', async ({ expect }) => {
  const events = createEventStream(systemClock)
  const adapters = [missing, emulatedRedis, installedRedis()]
  expect(await choose(adapters, { name: 'cache', events, clock: systemClock })).toBe(emulatedRedis)
  expect(events.of('backend.declined')).toEqual([
    { type: 'backend.declined', at: expect.any(Number), backend: 'cache', adapter: 'installed', reason: REASON },
  ])
})

test('a Redis that the user names is never replaced by another one', async ({ expect }) => {
  const events = createEventStream(systemClock)
  const chosen = chooseRedis({
    name: 'redis',
    stateDir: '/nowhere',
    cacheDir: '/nowhere',
    redisBinary: '/nowhere/redis-server',
    port: 0,
    log: silentLog,
    clock: systemClock,
    events,
  })
  await expect(chosen).rejects.toMatchObject({ code: 'ALDEA_MISSING', message: expect.stringContaining(REASON) })
})
