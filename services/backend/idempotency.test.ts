import { test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { ask, PASSWORD, signUp, startBackend, usePostgres } from './testing.ts'

const openDatabase = usePostgres()
const DAY_MS = 86_400_000

test('a repeated POST creates once, for a day, and shows no secret again', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 15))
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished), { clock })
  const { token, organisation } = await signUp(backend, 'ada@example.com')
  const create = (name: string) =>
    ask(backend, `POST /organisations/${organisation}/keys`, {
      body: { name },
      token,
      headers: { 'idempotency-key': 'key-of-a-client' },
    })
  const keyCount = async () => {
    const { body } = await ask(backend, `GET /organisations/${organisation}/keys`)
    return (body['keys'] as unknown[]).length
  }

  const answers = await Promise.all([create('laptop'), create('laptop'), create('laptop')])

  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
  expect(await keyCount()).toBe(2)
  const [first, ...again] = answers.sort((one) => ('key' in one.body ? -1 : 1))
  const { key, ...rest } = first?.body ?? {}
  expect(key).toMatch(/^org_/)
  for (const { body, headers } of again) {
    expect(body).toEqual(rest)
    expect(headers.get('idempotency-replayed')).toBe('true')
  }
  const { rows } = await backend.database.pool.query('SELECT * FROM idempotency_keys')
  expect(JSON.stringify(rows)).not.toContain(key)
  expect(JSON.stringify(rows)).not.toContain('key-of-a-client')

  expect(await create('phone')).toMatchObject({
    status: 422,
    body: { detail: 'This Idempotency-Key came with another request before.' },
  })
  await clock.advance(DAY_MS)
  expect((await create('phone')).headers.has('idempotency-replayed')).toBe(false)
  expect(await keyCount()).toBe(3)
})

test('signing up twice with one key makes one user', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const body = { email: 'ada@example.com', password: PASSWORD, organisation: 'Acme' }
  const signUpOnce = () => ask(backend, 'POST /sign-up', { body, headers: { 'idempotency-key': 'abc' } })
  const first = await signUpOnce()
  const second = await signUpOnce()
  expect(second).toMatchObject({ status: 201, body: { user: first.body['user'] } })
  expect(JSON.stringify(second.body)).not.toMatch(/org_\w{32}|ses_\w+/)
  expect(second.headers.get('set-cookie')).toBeNull()
})

test('a refusal is not kept: the request may come again', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const create = () =>
    ask(backend, 'POST /organisations/acme/keys', { body: { name: 'x' }, headers: { 'idempotency-key': 'abc' } })
  expect((await create()).status).toBe(404)
  await ask(backend, 'POST /organisations', { body: { name: 'Acme', id: 'acme' } })
  expect((await create()).status).toBe(201)
  expect((await ask(backend, 'GET /organisations/acme/audit-log')).body['entries']).toMatchObject([
    { action: 'key.created', actor: { id: 'platform' }, details: { name: 'x' } },
    { action: 'key.created' },
    { action: 'organisation.created' },
  ])
})

test('a key that is no key is refused', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const headers = { 'idempotency-key': 'with space' }
  expect((await ask(backend, 'POST /organisations', { body: { name: 'Acme' }, headers })).status).toBe(400)
})
