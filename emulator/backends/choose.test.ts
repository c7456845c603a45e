import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { silentLog } from '../../services/wire/log.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { createEventStream } from '../core/events.ts'
import { choose, choosePostgres, chooseQueue, chooseRedis, type ChooseOptions } from './choose.ts'
import { requireEngine } from './container/image-probe.ts'
import { CONTAINER_DEFAULTS } from './container/options.ts'
import { emulatedRedis } from './redis/emulated.ts'
import { installedRedis } from './redis/installed.ts'

const missing = installedRedis({ binary: '/nowhere/redis-server' })
const REASON = '/nowhere/redis-server was not found.'

test('the first adapter that can run is taken, and those before it say why they are not', async ({ expect }) => {
  const events = createEventStream()
  const adapters = [missing, emulatedRedis, installedRedis()]
  const chosen = { name: 'cache', mode: 'embedded' as const, events, clock: systemClock }
  expect(await choose(adapters, chosen, (adapter) => Promise.resolve(adapter))).toBe(emulatedRedis)
  expect(events.of('backend.declined')).toEqual([
    { type: 'backend.declined', at: expect.any(Number), backend: 'cache', adapter: 'installed', reason: REASON },
  ])
})

test('a Redis that the user names is never replaced by another one', async ({ expect }) => {
  const events = createEventStream()
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

test('auto goes on when an engine that was there is gone at the start; who insists on containers gets the error', async ({
  expect,
  onTestFinished,
}) => {
  let requests = 0
  // It is there for a probe, and for no more.
  const dockerHost = await startFakeEngine(onTestFinished, (response) => {
    requests += 1
    if (requests <= 2) response.end('{}')
    else response.destroy()
  })
  const container = { ...CONTAINER_DEFAULTS, dockerHost }
  const chosen = { ...options(onTestFinished), mode: 'auto' as const, container, redisBinary: undefined }
  const redis = await chooseRedis(chosen)
  onTestFinished(() => redis.stop())
  expect(redis.detail).not.toContain('container')
  const reason = expect.stringMatching(/^No container engine answers at unix:.*ECONNRESET/)
  // Whether a Redis is installed is the machine's affair.
  const declined = chosen.events.of('backend.declined').filter(({ adapter }) => adapter === 'container')
  expect(declined).toMatchObject([{ backend: 'redis', reason }])

  requests = 1
  const insisted = chooseRedis({ ...options(onTestFinished), mode: 'container', container })
  await expect(insisted).rejects.toThrow(/ECONNRESET/)
})

test('an engine is not given up while this thread is busy', async ({ expect, onTestFinished }) => {
  const dockerHost = await startFakeEngine(onTestFinished, (response) => response.end('OK'))
  const engine = requireEngine({ dockerHost })
  const from = performance.now()
  while (performance.now() - from < BUSY_MS) continue
  expect((await engine).uri).toBe(dockerHost)
})

/** Longer than any answer of an engine takes. */
const BUSY_MS = 400

/** Its address, as in `DOCKER_HOST`. */
async function startFakeEngine(
  onTestFinished: TestContext['onTestFinished'],
  answer: (response: ServerResponse) => void,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'aldea-engine-'))
  const server = createServer((_, response) => answer(response))
  onTestFinished(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const path = join(folder, 'engine.sock')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return `unix://${path}`
}

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
    events: createEventStream(),
  }
}
