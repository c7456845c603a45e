import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { hasLostFolder, isLeftover, type Labels } from './leftovers.ts'
import { LABEL, openOwner, ownerLabels, processLabels } from './owner.ts'

test('a container lives as long as its process', async ({ expect, onTestFinished }) => {
  const labels = await labelsIn(await temporary(onTestFinished))
  const own = { ...labels, ...(await processLabels()) }
  expect(await isLeftover(own)).toBe(false)
  // The pid is that of another program now.
  expect(await isLeftover({ ...own, [LABEL.pidStart]: '1' })).toBe(true)
  expect(await isLeftover({ ...own, [LABEL.pid]: '2147483646' })).toBe(true)
})

test('one that waits for the next start lives as long as its state folder', async ({ expect, onTestFinished }) => {
  const folder = await temporary(onTestFinished)
  const labels = await labelsIn(folder)
  expect(await isLeftover(labels)).toBe(false)
  await rm(folder, { recursive: true })
  expect(await isLeftover(labels)).toBe(true)
  // The folder is there again, but it is another one.
  await openOwner(folder)
  expect(await hasLostFolder(labels)).toBe(true)
})

test('what another machine made in the same engine is left alone', async ({ expect, onTestFinished }) => {
  const folder = await temporary(onTestFinished)
  const labels = { ...(await labelsIn(folder)), [LABEL.host]: `not-${hostname()}`, [LABEL.stateDir]: '/nowhere' }
  expect(await isLeftover({ ...labels, [LABEL.pid]: '2147483646', [LABEL.pidStart]: '1' })).toBe(false)
  expect(await hasLostFolder(labels)).toBe(false)
})

async function labelsIn(folder: string): Promise<Labels> {
  return ownerLabels(await openOwner(folder), folder)
}

async function temporary(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aldea-leftovers-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
