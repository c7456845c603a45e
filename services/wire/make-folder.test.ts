import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from 'vitest'
import { makeFolder } from './make-folder.ts'

const test = base.extend<{ readonly root: string }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from it
  root: async ({}, use) => {
    const root = await mkdtemp(join(tmpdir(), 'aldea-folder-'))
    await use(root)
    await rm(root, { recursive: true, force: true })
  },
})

test('makes a folder with those above it, each with the mode, and leaves one that is there', async ({
  expect,
  root,
}) => {
  const path = join(root, 'one', 'two', 'three')

  await makeFolder(path, { mode: 0o700 })
  await makeFolder(path)

  for (const made of [path, join(root, 'one')]) expect((await stat(made)).mode & 0o777).toBe(0o700)
})

test('two that make the same at once both succeed', async ({ expect, root }) => {
  const path = join(root, 'one', 'two', 'three')

  await Promise.all(Array.from({ length: 8 }, () => makeFolder(path)))

  expect((await stat(path)).isDirectory()).toBe(true)
})

test('a file in the way is an error', async ({ expect, root }) => {
  const file = join(root, 'file')
  await writeFile(file, '')

  await expect(makeFolder(file)).rejects.toThrow('EEXIST')
  await expect(makeFolder(join(file, 'below'))).rejects.toThrow('ENOTDIR')
})

test.runIf(process.platform === 'linux')(
  'a place where nothing can be made is an error, not an endless search',
  async ({ expect }) => {
    await expect(makeFolder('/proc/nope/below')).rejects.toThrow('ENOENT')
  },
)
