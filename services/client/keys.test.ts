import { test, type TestContext } from 'vitest'
import { addOrganisation, ADMIN_TOKEN, startBackend, usePostgres } from '../backend/testing.ts'
import { type AdminTarget, createKey, listKeys, revokeKey } from './keys.ts'

const openDatabase = usePostgres()

test('a key that is made is shown once, listed, and revoked', async ({ expect, onTestFinished }) => {
  const target = await startTarget(onTestFinished)

  const { key, ...made } = await createKey(target, 'laptop')
  expect(key).toMatch(/^org_/)
  expect(key.startsWith(made.prefix)).toBe(true)
  expect(made).toMatchObject({ name: 'laptop', createdAt: expect.stringMatching(/Z$/) as unknown })
  expect(await listKeys(target)).toEqual([made])

  await revokeKey(target, made.id)
  expect(await listKeys(target)).toEqual([{ ...made, revokedAt: expect.stringMatching(/Z$/) as unknown }])
})

test('what the backend refuses is one line', async ({ expect, onTestFinished }) => {
  const target = await startTarget(onTestFinished)

  await expect(listKeys({ ...target, adminToken: 'wrong' })).rejects.toMatchObject({ status: 401 })
  await expect(createKey({ ...target, organisationId: 'nobody' }, 'x')).rejects.toMatchObject({ status: 404 })
  await expect(revokeKey(target, 'no-such-key')).rejects.toThrow(
    /^The server answered 404: There is no key no-such-key/,
  )
})

test('a backend that is away is named', async ({ expect }) => {
  const target = { url: 'http://127.0.0.1:1', adminToken: '', organisationId: 'acme' }

  await expect(listKeys(target)).rejects.toThrow('No answer from http://127.0.0.1:1: nothing listens there.')
})

async function startTarget(onTestFinished: TestContext['onTestFinished']): Promise<AdminTarget> {
  const database = await openDatabase(onTestFinished)
  const { url } = await startBackend(onTestFinished, database)
  await addOrganisation(database, 'acme')
  return { url, adminToken: ADMIN_TOKEN, organisationId: 'acme' }
}
