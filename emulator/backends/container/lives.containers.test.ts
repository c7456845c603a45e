import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { test, type TestContext } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { containerPostgres } from '../postgres/container.ts'
import { containerRedis } from '../redis/container.ts'
import { connectError, portOf } from '../testing.ts'
import { requireEngine } from './image-probe.ts'
import { removeContainersOf, removeLeftovers } from './leftovers.ts'
import { CONTAINER_DEFAULTS } from './options.ts'
import { readOwner } from './owner.ts'

test('what a killed process left running is removed by the next start', async ({ expect, onTestFinished }) => {
  const [first, second] = [await temporary(onTestFinished), await temporary(onTestFinished)]
  const script = `
    const { containerRedis } = await import(${JSON.stringify(new URL('../redis/container.ts', import.meta.url).href)})
    const log = { debug() {}, error() {} }
    const { url } = await containerRedis().start({ stateDir: ${JSON.stringify(first)}, port: 0, log })
    console.log(url)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  expect(await connectError('127.0.0.1', portOf({ url }))).toBeUndefined()

  const next = await containerRedis().start({ stateDir: second, port: 0, log: silentLog })
  onTestFinished(() => next.stop())
  expect(await connectError('127.0.0.1', portOf({ url }))).toBe('ECONNREFUSED')
})

test('a reused container goes on after the stop, and the next start attaches to it', async ({
  expect,
  onTestFinished,
}) => {
  const stateDir = await temporary(onTestFinished)
  const adapter = containerRedis({ ...CONTAINER_DEFAULTS, isReused: true })
  const first = await adapter.start({ stateDir, port: 0, log: silentLog })
  onTestFinished(async () => {
    const owner = await readOwner(stateDir)
    await removeContainersOf(await requireEngine(CONTAINER_DEFAULTS), owner?.id ?? '')
  })
  const runId = await runIdOf(first.url)
  await first.stop()
  const second = await adapter.start({ stateDir, port: 0, log: silentLog })
  expect(second.url).toBe(first.url)
  expect(await runIdOf(second.url)).toBe(runId)

  // Without reuse it is another container, on the same data.
  const third = await containerRedis().start({ stateDir, port: 0, log: silentLog })
  onTestFinished(() => third.stop())
  expect(await runIdOf(third.url)).not.toBe(runId)
})

test('data are kept from one start to the next', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const first = await containerRedis().start({ stateDir, port: 0, log: silentLog })
  await using(first.url, (client) => client.set('kept', 'still here'))
  await first.stop()
  const second = await containerRedis().start({ stateDir, port: 0, log: silentLog })
  onTestFinished(() => second.stop())
  expect(await using(second.url, (client) => client.get('kept'))).toBe('still here')
})

test('an image that is missing is named, with what to type', async ({ expect, onTestFinished }) => {
  const images = { ...CONTAINER_DEFAULTS.images, postgres: '127.0.0.1:1/aldea/no-such-image:1' }
  const offline = containerPostgres({ ...CONTAINER_DEFAULTS, images, isOffline: true })
  expect(await offline.probe()).toMatchObject({
    available: false,
    reason: expect.stringContaining(`The image ${images.postgres} is not in the engine at`),
    hint: expect.stringContaining(`docker pull ${images.postgres}`),
  })
  const progress: string[] = []
  const online = containerPostgres({ ...CONTAINER_DEFAULTS, images, onProgress: (activity) => progress.push(activity) })
  const stateDir = await temporary(onTestFinished)
  await expect(online.start({ stateDir, port: 0, database: 'aldea', log: silentLog })).rejects.toMatchObject({
    code: 'ALDEA_MISSING',
    message: expect.stringMatching(/could not be pulled: .+/),
  })
  expect(progress).toEqual([`pulling ${images.postgres}`])
})

async function runIdOf(url: string): Promise<string | undefined> {
  return using(url, async (client) => /run_id:(\w+)/.exec(await client.info('server'))?.[1])
}

async function using<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url)
  try {
    return await use(client)
  } finally {
    client.disconnect()
  }
}

/** The volume goes with the folder, as it does at any next start. */
async function temporary(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aldea-lives-'))
  onTestFinished(async () => {
    await rm(path, { recursive: true })
    await removeLeftovers(await requireEngine(CONTAINER_DEFAULTS))
  })
  return path
}
