import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, test, type TestContext } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { postgresContract } from './contract.ts'
import { copyTree } from './copy-tree.ts'
import { embeddedBinaries, findPackage, type EmbeddedPackage } from './embedded-binaries.ts'
import { embeddedPostgres } from './embedded.ts'
import { asUser, chooseServerUser, otherUser } from './server-user.ts'

const run = promisify(execFile)
const cacheDir = mkdtempSync(join(tmpdir(), 'aldea-cache-'))
afterAll(() => rmSync(cacheDir, { recursive: true }))

const adapter = embeddedPostgres({ cacheDir })
const probed = await adapter.probe()
const isRoot = process.getuid?.() === 0

postgresContract(adapter, probed.available ? undefined : probed.reason)

describe.skipIf(!probed.available)('the package', () => {
  test('its links are made where the install has run no scripts', async ({ expect, onTestFinished }) => {
    const found = await packageWithoutLinks(await temporary(onTestFinished))
    const user = await chooseServerUser()
    const { program } = await embeddedBinaries(found, { user, cacheDir: await temporary(onTestFinished) })
    expect(program('postgres')).toContain(found.path)
    expect((await run(program('postgres'), ['--version'])).stdout).toContain(found.version)
  })

  test.runIf(isRoot)(
    'it is copied where the user of the server cannot reach it',
    async ({ expect, onTestFinished }) => {
      const unreachable = await packageWithoutLinks(await temporary(onTestFinished))
      const cache = await temporary(onTestFinished)
      await chmod(cache, 0o755)
      const user = await otherUser()
      const { program } = await embeddedBinaries(unreachable, { user, cacheDir: cache })
      expect(program('postgres')).toContain(cache)
      const { uid, gid } = asUser(user)
      expect((await run(program('postgres'), ['--version'], { uid, gid })).stdout).toContain(unreachable.version)
    },
  )
})

describe.skipIf(!probed.available)('data folders', () => {
  test('are copies of one template, each with a password of its own', async ({ expect, onTestFinished }) => {
    const cache = await temporary(onTestFinished)
    const both = embeddedPostgres({ cacheDir: cache })
    const states = await Promise.all([temporary(onTestFinished), temporary(onTestFinished)])
    // Side by side and with an empty cache: both make the template, one of them keeps it.
    const backends = await Promise.all(states.map((stateDir) => both.start(contextIn(stateDir))))
    await Promise.all(backends.map((backend) => backend.stop()))
    const passwords = backends.map(({ url }) => new URL(url).password)
    expect(new Set(passwords).size).toBe(2)
    expect((await readdir(cache)).filter((name) => name.includes('template'))).toHaveLength(1)
  })

  test('that were never finished are removed', async ({ expect, onTestFinished }) => {
    const stateDir = await temporary(onTestFinished)
    await mkdir(join(stateDir, 'data.new-1', 'base'), { recursive: true })
    const backend = await adapter.start(contextIn(stateDir))
    await backend.stop()
    expect(await readdir(stateDir)).toEqual(['data'])
  })

  test('keep the password from everybody else', async ({ expect, onTestFinished }) => {
    const stateDir = await temporary(onTestFinished)
    const backend = await adapter.start(contextIn(stateDir))
    await backend.stop()
    const file = join(stateDir, 'data', 'aldea-local.json')
    expect(await readFile(file, 'utf8')).toContain(new URL(backend.url).password)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(join(stateDir, 'data'))).mode & 0o777).toBe(0o700)
  })
})

describe.skipIf(!probed.available || !isRoot)('as root, where namespaces are forbidden', () => {
  test('the server runs as another user, on data of that user', async ({ expect, onTestFinished }) => {
    const user = await otherUser()
    const [cache, stateDir] = [await temporary(onTestFinished), await temporary(onTestFinished)]
    await Promise.all([chmod(cache, 0o755), chmod(stateDir, 0o755)])
    const asOther = embeddedPostgres({ cacheDir: cache, user })
    await (await asOther.start(contextIn(stateDir))).stop()
    const again = await asOther.start(contextIn(stateDir))
    onTestFinished(() => again.stop())
    const { pid } = JSON.parse(await readFile(join(stateDir, 'child.json'), 'utf8')) as { pid: number }
    const { uid } = await stat(join(stateDir, 'data'))
    expect(uid).toBe(asUser(user).uid)
    expect((await stat(`/proc/${pid}`)).uid).toBe(uid)
  })

  test('data made in a namespace go over to that user, and back', async ({ expect, onTestFinished }) => {
    const [cache, stateDir] = [await temporary(onTestFinished), await temporary(onTestFinished)]
    await Promise.all([chmod(cache, 0o755), chmod(stateDir, 0o755)])
    const users = [await chooseServerUser(), await otherUser(), await chooseServerUser()]
    const urls: string[] = []
    for (const user of users) {
      const backend = await embeddedPostgres({ cacheDir: cache, user }).start(contextIn(stateDir))
      await backend.stop()
      urls.push(new URL(backend.url).password)
    }
    expect(new Set(urls).size).toBe(1)
  })

  test('a folder that this user cannot reach is refused with the reason', async ({ expect, onTestFinished }) => {
    const hidden = await temporary(onTestFinished)
    const asOther = embeddedPostgres({ cacheDir, user: await otherUser() })
    const start = asOther.start(contextIn(join(hidden, 'state')))
    await expect(start).rejects.toMatchObject({ code: 'ALDEA_MISSING', message: expect.stringContaining(hidden) })
  })
})

function contextIn(stateDir: string): { stateDir: string; port: number; database: string; log: typeof silentLog } {
  return { stateDir, port: 0, database: 'aldea', log: silentLog }
}

/** As npm unpacks it. */
async function packageWithoutLinks(path: string): Promise<EmbeddedPackage> {
  const found = await findPackage()
  if (!found) throw new Error('The package is not installed.')
  await copyTree(join(found.path, 'native'), join(path, 'native'), 0o755)
  const list = await readFile(join(path, 'native', 'pg-symlinks.json'), 'utf8')
  const links = JSON.parse(list) as { target: string }[]
  await Promise.all(links.map(({ target }) => unlink(join(path, target))))
  return { ...found, path }
}

async function temporary(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aldea-embedded-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}
