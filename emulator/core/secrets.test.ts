import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { openSecrets } from './secrets.ts'

async function stateDir({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-secrets-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a secret stays the same from start to start, also when another one is added', async ({
  expect,
  onTestFinished,
}) => {
  const folder = await stateDir({ onTestFinished })

  const first = await openSecrets(folder, ['admin-token'])
  const second = await openSecrets(folder, ['admin-token', 'session-key'])

  expect(first['admin-token']).toMatch(/^[0-9a-f]{48}$/)
  expect(second['admin-token']).toBe(first['admin-token'])
  expect(second['session-key']).toMatch(/^[0-9a-f]{48}$/)
  expect(second['session-key']).not.toBe(second['admin-token'])
})

test.skipIf(process.platform === 'win32')('only the owner can read them', async ({ expect, onTestFinished }) => {
  const folder = await stateDir({ onTestFinished })

  await openSecrets(folder, ['admin-token'])

  expect((await stat(join(folder, 'secrets.json'))).mode & 0o777).toBe(0o600)
})
