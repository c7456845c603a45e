import { afterAll, beforeAll, test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { hashKey } from '../account/keys.ts'
import { redisKeys } from '../account/redis-keys.ts'
import { systemClock } from '../wire/clock.ts'
import { ask, PASSWORD, signUp, startBackend, type TestBackend, usePostgres } from './testing.ts'

const openDatabase = usePostgres()
const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 15)

let backend: TestBackend
const cleanups: (() => Promise<void> | void)[] = []
beforeAll(async () => {
  const onFinished = (cleanup: () => Promise<void> | void): void => void cleanups.unshift(cleanup)
  backend = await startBackend(onFinished, await openDatabase(onFinished))
})
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup()
})

/** Everything that is stored, in whatever table, as text. */
async function stored(): Promise<string> {
  const { pool } = backend.database
  const tables = await pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  )
  const rows = await Promise.all(tables.rows.map(async ({ name }) => (await pool.query(`SELECT * FROM ${name}`)).rows))
  return JSON.stringify(rows)
}

test('signing up makes a user who owns an organisation with a key that works, and stores no secret', async ({
  expect,
}) => {
  const user = await signUp(backend, 'Ada@Example.com')

  expect(await backend.redis.client.get(redisKeys.apiKey(hashKey(user.key)))).toBe(user.organisation)
  expect(await ask(backend, 'GET /me', { token: user.token })).toMatchObject({
    status: 200,
    body: {
      user: { id: user.id, email: 'ada@example.com' },
      organisations: [{ id: user.organisation, name: 'Acme', role: 'owner' }],
    },
  })
  const text = await stored()
  expect(text).toContain('ada@example.com')
  expect(text).toContain('scrypt$16384,8,5$')
  for (const secret of [PASSWORD, user.key, user.token]) expect(text).not.toContain(secret)
})

test('one email signs up once, in whatever case', async ({ expect }) => {
  await signUp(backend, 'once@example.com')
  const body = { email: 'ONCE@example.com', password: PASSWORD, organisation: 'Other' }
  expect(await ask(backend, 'POST /sign-up', { body })).toMatchObject({
    status: 409,
    body: { detail: 'Somebody has signed up with this email already.' },
  })
})

test('a session works as bearer token and as cookie until it is signed out', async ({ expect }) => {
  const { email } = await signUp(backend, 'both@example.com')
  const signedIn = await ask(backend, 'POST /sign-in', { body: { email, password: PASSWORD } })
  const { token } = signedIn.body['session'] as { token: string }
  const cookie = signedIn.headers.get('set-cookie') ?? ''
  expect(cookie).toMatch(/^aldea_session=ses_[\w-]{43};.* HttpOnly; SameSite=Lax$/)
  const withCookie = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`${backend.url}${path}`, { method, headers: { cookie: cookie.split(';')[0] ?? '' } })

  expect(await ask(backend, 'GET /me', { token })).toMatchObject({ status: 200, body: { user: { email } } })
  expect((await withCookie('/me')).status).toBe(200)

  const signedOut = await withCookie('/sign-out', 'POST')
  expect(signedOut.status).toBe(200)
  expect(signedOut.headers.get('set-cookie')).toContain('aldea_session=;')
  expect((await withCookie('/me')).status).toBe(401)
  expect((await ask(backend, 'GET /me', { token })).status).toBe(401)
})

test('behind TLS the cookie is for TLS only', async ({ expect }) => {
  const { email } = await signUp(backend, 'tls@example.com')
  const headers = { 'x-forwarded-proto': 'https' }
  const answer = await ask(backend, 'POST /sign-in', { body: { email, password: PASSWORD }, headers })
  expect(answer.headers.get('set-cookie')).toContain('; Secure;')
})

test('a wrong password and an unknown email are refused in the same words', async ({ expect }) => {
  const { email } = await signUp(backend, 'wrong@example.com')
  for (const tried of [email, 'nobody@example.com']) {
    const answer = await ask(backend, 'POST /sign-in', { body: { email: tried, password: 'not the password' } })
    expect(answer).toMatchObject({
      status: 401,
      body: { detail: 'Email or password is wrong.', title: 'Unauthorized' },
    })
    expect(answer.headers.get('set-cookie')).toBeNull()
  }
})

test('a new password ends all other sessions', async ({ expect }) => {
  const { email, token } = await signUp(backend, 'change@example.com')
  const signIn = (password: string) => ask(backend, 'POST /sign-in', { body: { email, password } })
  const other = ((await signIn(PASSWORD)).body['session'] as { token: string }).token
  const change = (current: string) =>
    ask(backend, 'PUT /me/password', { token, body: { current, next: 'another password' } })

  expect(await change('a wrong password')).toMatchObject({ status: 403 })
  expect(await change(PASSWORD)).toMatchObject({ status: 200 })

  expect((await ask(backend, 'GET /me', { token })).status).toBe(200)
  expect((await ask(backend, 'GET /me', { token: other })).status).toBe(401)
  expect((await signIn(PASSWORD)).status).toBe(401)
  expect((await signIn('another password')).status).toBe(200)
})

test('a session runs out after a week', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(START_MS)
  const late = await startBackend(onTestFinished, await openDatabase(onTestFinished), { clock })
  const { token } = await signUp(late, 'week@example.com')

  await clock.advance(7 * 24 * HOUR_MS - 1)
  expect((await ask(late, 'GET /me', { token })).status).toBe(200)
  await clock.advance(1)
  expect((await ask(late, 'GET /me', { token })).status).toBe(401)
})

test('sign-in is refused after ten attempts for an email, until the next minute', async ({
  expect,
  onTestFinished,
}) => {
  const clock = createVirtualClock(START_MS + 20_000)
  const guarded = await startBackend(onTestFinished, await openDatabase(onTestFinished), { clock })
  const signIn = (email: string) => ask(guarded, 'POST /sign-in', { body: { email, password: 'a guess of it' } })
  const statuses: number[] = []
  for (let attempt = 0; attempt < 10; attempt += 1) statuses.push((await signIn('guess@example.com')).status)
  expect(new Set(statuses)).toEqual(new Set([401]))

  const refused = await signIn('GUESS@example.com')
  expect(refused).toMatchObject({ status: 429, body: { title: 'Too Many Requests' } })
  expect(refused.headers.get('retry-after')).toBe('40')
  expect((await signIn('other@example.com')).status).toBe(401)

  await clock.advance(40_000)
  expect((await signIn('guess@example.com')).status).toBe(401)
})

test('sign-in is refused after a hundred attempts from an address, whatever the email', async ({ expect }) => {
  const minute = Math.floor(systemClock.now() / 60_000)
  const { client } = backend.redis
  // Two minutes, for the next one may have begun when the attempt comes.
  await Promise.all([minute, minute + 1].map((each) => client.set(`sign-in:address:203.0.113.9:${each}`, 100)))
  const attempt = (forwarded: string) =>
    ask(backend, 'POST /sign-in', {
      body: { email: 'somebody@example.com', password: 'a guess of it' },
      headers: { 'x-forwarded-for': forwarded },
    })
  expect((await attempt('198.51.100.1, 203.0.113.9')).status).toBe(429)
  expect((await attempt('203.0.113.9, 198.51.100.1')).status).toBe(401)
})

test('while Redis is away nobody guesses passwords', async ({ expect, onTestFinished }) => {
  const one = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const { email, token } = await signUp(one, 'away@example.com')
  await one.redis.stop()
  const answer = await ask(one, 'POST /sign-in', { body: { email, password: PASSWORD } })
  expect(answer).toMatchObject({ status: 503, body: { detail: 'Attempts cannot be counted right now.' } })
  expect((await ask(one, 'GET /me', { token })).status).toBe(200)
})

test.for<[string, unknown, string]>([
  ['POST /sign-up', { email: 'nobody', password: PASSWORD, organisation: 'Acme' }, 'body/email'],
  ['POST /sign-up', { email: 'a\u0000@b', password: PASSWORD, organisation: 'Acme' }, 'body/email'],
  ['POST /sign-up', { email: 'a@b', password: 'short', organisation: 'Acme' }, 'body/password'],
  ['POST /sign-up', { email: 'a@b', password: PASSWORD }, 'body'],
  ['POST /sign-in', { email: 'a@b', password: { $ne: '' } }, 'body/password'],
])('%s %j is refused', async ([request, body, message], { expect }) => {
  expect(await ask(backend, request, { body })).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining(message) as unknown },
  })
})

test('a body that is too large is refused', async ({ expect }) => {
  const body = { email: 'a@b', password: 'x'.repeat(70_000), organisation: 'Acme' }
  expect(await ask(backend, 'POST /sign-up', { body })).toMatchObject({ status: 413 })
})

test('the admin token belongs to no user', async ({ expect }) => {
  expect(await ask(backend, 'GET /me')).toMatchObject({ status: 403 })
})
