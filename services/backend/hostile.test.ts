import { test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { ask, signUp, startBackend, type TestBackend, usePostgres } from './testing.ts'

const openDatabase = usePostgres()

/** Sends a body as it is, or a header that is none. */
async function send(
  { url }: Pick<TestBackend, 'url'>,
  request: string,
  init: { readonly body?: string | Buffer; readonly headers: Readonly<Record<string, string>> },
): Promise<number> {
  const [method = '', path = ''] = request.split(' ')
  const response = await fetch(`${url}${path}`, { method, ...init })
  await response.arrayBuffer()
  return response.status
}

test('halves of characters are refused wherever text is stored', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const { token, organisation } = await signUp(backend, 'ada@example.com')
  const half = 'a\ud800b'
  for (const [request, body] of [
    ['POST /organisations', { name: half }],
    [`POST /organisations/${organisation}/keys`, { name: half }],
    [`POST /organisations/${organisation}/members`, { email: `${half}@example.com`, role: 'viewer' }],
    ['POST /sign-up', { email: `${half}@example.com`, password: 'correct horse', organisation: 'Acme' }],
  ] as const) {
    expect(await ask(backend, request, { token, body })).toMatchObject({ status: 400 })
  }
  expect(
    (await ask(backend, `POST /organisations/${organisation}/credit`, { body: { amountMicros: 1, reason: half } }))
      .status,
  ).toBe(400)

  const whole = await ask(backend, `POST /organisations/${organisation}/keys`, { token, body: { name: 'a 🙂 b' } })
  expect(whole).toMatchObject({ status: 201, body: { name: 'a 🙂 b' } })
})

test('a path that is too long is the client’s fault', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  expect(await ask(backend, `GET /organisations/${'a'.repeat(1_000)}`)).toMatchObject({
    status: 414,
    body: { title: 'URI Too Long' },
  })
})

test('a cursor that is none does not look like the end of a list', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const ada = await signUp(backend, 'ada@example.com')
  const eve = await signUp(backend, 'eve@example.com')
  const path = `/organisations/${ada.organisation}/keys`
  const { token } = ada
  const [first] = (await ask(backend, `GET ${path}?limit=1`, { token })).body['keys'] as { id: string }[]
  const [hers] = (await ask(backend, `GET /organisations/${eve.organisation}/keys`, { token: eve.token })).body[
    'keys'
  ] as { id: string }[]

  expect(await ask(backend, `GET ${path}?after=${first?.id}`, { token })).toMatchObject({
    status: 200,
    body: { keys: [] },
  })
  for (const after of ['nothing', hers?.id, `${first?.id}0`, `${first?.id}&after=${first?.id}`, '%00']) {
    expect((await ask(backend, `GET ${path}?after=${after}`, { token })).status).toBe(400)
  }
  for (const list of ['audit-log', 'credit']) {
    for (const after of ['-1', '1e3', '9223372036854775808', '']) {
      const request = `GET /organisations/${ada.organisation}/${list}?after=${after}`
      expect((await ask(backend, request, { token })).status).toBe(400)
    }
  }
})

test('nothing of another organisation is there, under any path', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const { token } = await signUp(backend, 'eve@example.com')
  const ada = await signUp(backend, 'ada@example.com')
  const { body } = await ask(backend, `GET /organisations/${ada.organisation}/keys`, { token: ada.token })
  const [key] = body['keys'] as { id: string }[]
  const document = (await ask(backend, 'GET /openapi.json')).body as unknown as {
    paths: Record<string, Record<string, unknown>>
  }
  const bodies: Readonly<Record<string, object>> = {
    'put /organisations/{id}/limits': { maxConnections: 1 },
    'post /organisations/{id}/keys': { name: 'mine' },
    'post /organisations/{id}/members': { email: 'eve@example.com', role: 'owner' },
    'put /organisations/{id}/members/{userId}': { role: 'viewer' },
    'put /organisations/{id}/plan': { plan: 'growth' },
    'post /organisations/{id}/credit': { amountMicros: 1, reason: 'mine' },
  }
  const ofOrganisations = Object.entries(document.paths).filter(([path]) => path.startsWith('/organisations/{id}'))
  expect(ofOrganisations.length).toBeGreaterThan(10)

  for (const [path, methods] of ofOrganisations) {
    for (const method of Object.keys(methods)) {
      const there = path
        .replace('{id}', ada.organisation)
        .replace('{keyId}', key?.id ?? '')
        .replace('{userId}', ada.id)
        .replace('{invitationId}', 'any')
      const request = `${method.toUpperCase()} ${there}`
      const sent = bodies[`${method} ${path}`]
      expect([request, (await ask(backend, request, { token, ...(sent && { body: sent }) })).status]).toEqual([
        request,
        404,
      ])
    }
  }
  expect((await ask(backend, `GET /organisations/${ada.organisation}/audit-log`)).body['entries']).toHaveLength(3)
})

test('bodies that are no JSON, or too much of it, are refused and nothing fails', async ({
  expect,
  onTestFinished,
}) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const { token, organisation } = await signUp(backend, 'ada@example.com')
  const request = `POST /organisations/${organisation}/keys`
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '1',
    '{"__proto__":{"name":"x"}}',
    '{"name":"x","organisation":"other"}',
  ]) {
    expect([body, await send(backend, request, { body, headers })]).toEqual([body, 400])
  }
  expect(await send(backend, request, { body: Buffer.from([0xff, 0xfe]), headers })).toBe(400)
  expect(await send(backend, request, { body: '['.repeat(60_000), headers })).toBe(400)
  expect(await send(backend, request, { body: `{"name":"${'x'.repeat(70_000)}"}`, headers })).toBe(413)
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
    expect(await send(backend, request, { body: '{"name":"x"}', headers: { ...headers, 'content-type': type } })).toBe(
      415,
    )
  }
})

test('a session that has ended is nobody’s, in the header or in the cookie', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished), { clock })
  const { token } = await signUp(backend, 'ada@example.com')
  const bearer = { authorization: `Bearer ${token}` }
  const cookie = { cookie: `aldea_session=${token}` }
  const me = (headers: Readonly<Record<string, string>>): Promise<number> => send(backend, 'GET /me', { headers })
  expect([await me(bearer), await me(cookie)]).toEqual([200, 200])
  // A header that is there but wrong is not mended by a cookie.
  expect(await me({ ...cookie, authorization: 'Basic YTpi' })).toBe(401)
  for (const wrong of ['Bearer', 'Bearer  ', `Bearer ${token}x`, `Bearer ${token} x`, token]) {
    expect(await me({ authorization: wrong })).toBe(401)
  }

  await clock.advance(7 * 24 * 3_600_000)
  expect([await me(bearer), await me(cookie)]).toEqual([401, 401])
})
