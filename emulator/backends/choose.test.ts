import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { createEventStream } from '../core/events.ts'
import { choose, choosePostgres, chooseQueue, chooseRedis, type ChooseOptions } from './choose.ts'
import { CONTAINER_DEFAULTS } from './container/options.ts'
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

const NO_ENGINE = { ...CONTAINER_DEFAULTS, dockerHost: 'unix:///nowhere/docker.sock' }

test('containers that are asked for and cannot run are an error that says what was tried', async ({
  expect,
  onTestFinished,
}) => {
  const chosen = choosePostgres({
    ...options(onTestFinished),
    mode: 'container',
    container: NO_ENGINE,
    database: 'aldea',
  })
  await expect(chosen).rejects.toMatchObject({
    code: 'ALDEA_MISSING',
    message:
      'Nothing here can run redis. container: No container engine answers at unix:///nowhere/docker.sock (ENOENT).',
    hint: expect.stringContaining('Start Docker or Podman'),
  })
})

test('without an engine, auto takes what is here and says so once', async ({ expect, onTestFinished }) => {
  const chosen = { ...options(onTestFinished), mode: 'auto' as const, container: NO_ENGINE }
  const queue = await chooseQueue({ ...chosen, region: 'us-east-1', queues: [], ids: systemIds })
  onTestFinished(() => queue.stop())
  expect(queue.detail).toContain('in this process')
  expect(chosen.events.of('backend.declined')).toMatchObject([{ adapter: 'container', backend: 'redis' }])
})

test('an engine on another machine is not used: its ports are not here', async ({ expect, onTestFinished }) => {
  const container = { ...CONTAINER_DEFAULTS, dockerHost: 'tcp://engine.example:2375' }
  await expect(chooseRedis({ ...options(onTestFinished), mode: 'container', container })).rejects.toThrow(
    /is on another machine/,
  )
})

test('a server that the user names by URL wins over all, and is never replaced', async ({ expect, onTestFinished }) => {
  const named = { ...options(onTestFinished), mode: 'container' as const, externalUrl: 'redis://127.0.0.1:1' }
  await expect(chooseRedis(named)).rejects.toMatchObject({
    code: 'ALDEA_MISSING',
    message: expect.stringContaining('external: Redis at 127.0.0.1:1 cannot be used: connect ECONNREFUSED'),
  })
  expect(named.events.of('backend.declined')).toMatchObject([{ adapter: 'external' }])
  const queue = {
    ...options(onTestFinished),
    externalUrl: 'http://127.0.0.1:1',
    region: 'us-east-1',
    queues: [],
    ids: systemIds,
  }
  await expect(chooseQueue(queue)).rejects.toThrow(/external: SQS at 127\.0\.0\.1:1 cannot be used/)
})

function options(onTestFinished: TestContext['onTestFinished']): ChooseOptions {
  const stateDir = mkdtempSync(join(tmpdir(), 'aldea-choose-'))
  onTestFinished(() => rmSync(stateDir, { recursive: true }))
  return {
    name: 'redis',
    stateDir,
    cacheDir: '/nowhere',
    redisBinary: undefined,
    port: 0,
    log: silentLog,
    clock: systemClock,
    events: createEventStream(systemClock),
  }
}
