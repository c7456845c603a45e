import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, vi, type TestContext } from 'vitest'
import { fixturePath } from '../fixtures/fixture-path.ts'
import { createVirtualClock, startEnvironment, type StartedEnvironment, type StartOptions } from './index.ts'

const PLAIN = {
  engine: 'scripted',
  backends: { mode: 'embedded' },
  cacheDir: join(tmpdir(), 'aldea-test-cache'),
} as const satisfies StartOptions

test('an environment answers when it is there, and nothing of it is left behind', async (context) => {
  const { expect } = context
  const temporary = await ownTemporaryFolder(context)
  let url = ''
  {
    await using environment = await startEnvironment(PLAIN)
    url = environment.url
    expect(await transcribe(environment)).toContain('ask not what your country can do for you')
    expect(await leftIn(temporary)).toHaveLength(1)
  }
  expect(await leftIn(temporary)).toEqual([])
  await expect(fetch(url)).rejects.toThrow()
})

test('several run beside each other, under one name', async (context) => {
  const { expect } = context
  await ownTemporaryFolder(context)
  const environments = await Promise.all([startEnvironment(PLAIN), startEnvironment(PLAIN)])
  context.onTestFinished(async () => void (await Promise.all(environments.map((each) => each.stop()))))

  const [first, second] = environments
  expect(first.url).not.toBe(second.url)
  expect(first.variables['DATABASE_URL']).not.toBe(second.variables['DATABASE_URL'])
  await first.stop()
  expect(await transcribe(second)).toContain('ask not')
  await first.stop()
})

test('time goes on when its clock is told to', async (context) => {
  const { expect, onTestFinished } = context
  await ownTemporaryFolder(context)
  const clock = createVirtualClock(Date.parse('2030-01-01T00:00:00Z'))
  const environment = await startEnvironment({ ...PLAIN, clock })
  onTestFinished(() => environment.stop())

  expect(await transcribe(environment)).toContain('"created":"2030-01-01T00:00:00.000000Z"')
  await clock.advance(300_000)
  expect(await transcribe(environment)).toContain('"created":"2030-01-01T00:05:00.000000Z"')
  // Nothing was given up on the way: no connection, no function.
  expect(environment.events.of('log')).toEqual([])
})

test('what has a folder of its own is there at the next start', async (context) => {
  const { expect } = context
  const temporary = await ownTemporaryFolder(context)
  const kept = { ...PLAIN, baseDir: join(temporary, 'kept'), name: 'mine' }

  const first = await startEnvironment(kept)
  await first.stop()
  const second = await startEnvironment(kept)
  await second.stop()

  expect(second.secrets).toEqual(first.secrets)
  // What other programs were told is still true.
  expect(second.backends).toEqual(first.backends)
  expect(second.serviceVariables).toEqual({
    ...first.serviceVariables,
    'db-sync': expect.objectContaining({ DATABASE_URL: first.backends['postgres'] }) as object,
  })
  expect(await readdir(kept.baseDir)).toEqual(['mine'])
})

test('a start that fails leaves nothing running and nothing behind', async (context) => {
  const { expect, onTestFinished } = context
  const temporary = await ownTemporaryFolder(context)
  const holder = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void holder.close())
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo

  await expect(startEnvironment({ ...PLAIN, port })).rejects.toMatchObject({ code: 'ALDEA_PORT_TAKEN' })
  await expect(startEnvironment({ ...PLAIN, system: 'crm' })).rejects.toMatchObject({
    code: 'ALDEA_USAGE',
    message: expect.stringContaining('There is no system crm.'),
  })
  expect(await leftIn(temporary)).toEqual([])
})

/** Where temporary folders are made until the test ends. */
async function ownTemporaryFolder({ onTestFinished }: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-test-'))
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}

/** What of ours is there: Node keeps something of its own, too. */
async function leftIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder)
  return names.filter((name) => name.startsWith('aldea-'))
}

async function transcribe({ url, key }: StartedEnvironment): Promise<string> {
  const body = await readFile(fixturePath('audio', 'jfk.wav'))
  const answer = await fetch(`${url}/v1/listen`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body })
  return answer.text()
}
