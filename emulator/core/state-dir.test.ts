import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { lockHolder } from './lock-file.ts'
import { identify, isAlive, type ProcessIdentity } from './processes.ts'
import { createRegistry } from '../tests/test-registry.ts'
import { openStateDir, readRegistry } from './state-dir.ts'

test('a second start of the same environment is refused by the pid of the first', async ({
  expect,
  onTestFinished,
}) => {
  const where = { baseDir: await temporary(onTestFinished), name: 'default' }
  const state = await openStateDir(where)
  const second = openStateDir(where)
  await expect(second).rejects.toMatchObject({ code: 'ALDEA_STATE_LOCKED', hint: expect.stringContaining('--name') })
  await expect(second).rejects.toThrow(`pid ${process.pid}`)
  await state.release()
  await (await openStateDir(where)).release()
})

test('environments of different names run side by side', async ({ expect, onTestFinished }) => {
  const baseDir = await temporary(onTestFinished)
  const one = await openStateDir({ baseDir, name: 'one' })
  const other = await openStateDir({ baseDir, name: 'other' })
  expect(one.path).toBe(join(baseDir, 'one'))
  await Promise.all([one.release(), other.release()])
})

test('of many starts at once one gets in, over and over', async ({ expect, onTestFinished }) => {
  const where = { baseDir: await temporary(onTestFinished), name: 'default' }
  const { path, release } = await openStateDir(where)
  await release()
  for (let round = 0; round < 30; round += 1) {
    // Every other round begins with the lock of a process that is gone: all of them want to take it over.
    if (round % 2 === 1) await writeFile(join(path, `lock.${1000 + round}`), JSON.stringify(GONE))
    const starts = await Promise.allSettled(Array.from({ length: 20 }, () => openStateDir(where)))
    const inside = starts.filter((start) => start.status === 'fulfilled')
    expect(inside).toHaveLength(1)
    await Promise.all(inside.map(({ value }) => value.release()))
  }
  expect(await readdir(path)).toHaveLength(1)
})

/** More than the highest pid of Linux. */
const GONE = { pid: 4_194_305, startTime: '1' }

test.for([
  ['of a process that is gone', GONE],
  ['of a pid that is another process now', { pid: process.pid, startTime: '1' }],
  ['that nobody can read', 'half a li'],
])('a lock %s is taken over', async ([, lock], { expect, onTestFinished }) => {
  const where = { baseDir: await temporary(onTestFinished), name: 'default' }
  const state = await openStateDir(where)
  await state.release()
  await writeFile(join(state.path, 'lock.2'), JSON.stringify(lock))
  const again = await openStateDir(where)
  expect(await lockHolder(again.path)).toMatchObject({ pid: process.pid })
  await expect(openStateDir(where)).rejects.toMatchObject({ code: 'ALDEA_STATE_LOCKED' })
  await again.release()
  expect(await lockHolder(again.path)).toBeUndefined()
})

test('the registry is there while its environment runs', async ({ expect, onTestFinished }) => {
  const where = { baseDir: await temporary(onTestFinished), name: 'default' }
  expect(await readRegistry(where)).toBeUndefined()
  const state = await openStateDir(where)
  expect(await readRegistry(where)).toBeUndefined()
  await state.writeRegistry(createRegistry({ url: 'http://127.0.0.1:1' }))
  await state.writeRegistry(createRegistry({ url: 'http://127.0.0.1:2' }))
  expect(await readRegistry(where)).toMatchObject({ url: 'http://127.0.0.1:2' })
  expect((await stat(join(state.path, 'environment.json'))).mode & 0o777).toBe(0o600)
  await state.release()
  expect(await readRegistry(where)).toBeUndefined()
})

test('the registry of a killed environment is not believed', async ({ expect, onTestFinished }) => {
  const where = { baseDir: await temporary(onTestFinished), name: 'default' }
  const state = await openStateDir(where)
  await state.writeRegistry(createRegistry({ url: 'http://127.0.0.1:1' }))
  await writeFile(join(state.path, 'lock.9'), JSON.stringify({ pid: process.pid, startTime: '1' }))
  expect(await readRegistry(where)).toBeUndefined()
})

test('a start ends what an earlier one left running, and nothing else', async ({ expect, onTestFinished }) => {
  const where = { baseDir: await temporary(onTestFinished), name: 'default' }
  const { path, release } = await openStateDir(where)
  await release()
  const leftover = await sleeper(onTestFinished)
  const innocent = await sleeper(onTestFinished)
  const record = { service: 'sleep', exe: 'sleep', dataDir: path, port: 0, stopSignals: ['SIGTERM'] }
  await writeRecord(path, { ...record, ...innocent, startTime: '1' })
  const postgres = join(path, 'postgres')
  await writeRecord(postgres, { ...record, ...leftover })
  await (await openStateDir(where)).release()
  expect([await isAlive(leftover), await isAlive(innocent)]).toEqual([false, true])
  await expect(stat(join(postgres, 'child.json'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test.for(['', '..', 'a/b', '.hidden', 'a'.repeat(64), 'C:'])(
  '%j cannot name an environment',
  async (name, { expect }) => {
    await expect(openStateDir({ baseDir: tmpdir(), name })).rejects.toMatchObject({ code: 'ALDEA_USAGE' })
  },
)

async function temporary(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aldea-state-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

async function writeRecord(folder: string, record: object): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'child.json'), JSON.stringify(record))
}

async function sleeper(onTestFinished: TestContext['onTestFinished']): Promise<ProcessIdentity> {
  const child = spawn('sleep', ['60'])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const identity = await identify(child.pid ?? 0)
  if (!identity) throw new Error('sleep did not start')
  return identity
}
