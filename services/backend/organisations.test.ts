import { afterAll, beforeAll, describe, test } from 'vitest'
import { hashKey } from '../account/keys.ts'
import { redisKeys } from '../account/redis-keys.ts'
import { ask, signUp, startBackend, type TestBackend, type TestUser, usePostgres } from './testing.ts'

const openDatabase = usePostgres()

let backend: TestBackend
let owner: TestUser
let other: TestUser
const cleanups: (() => Promise<void> | void)[] = []
beforeAll(async () => {
  const onFinished = (cleanup: () => Promise<void> | void): void => void cleanups.unshift(cleanup)
  backend = await startBackend(onFinished, await openDatabase(onFinished))
  owner = await signUp(backend, 'owner@example.com')
  other = await signUp(backend, 'other@example.com')
})
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup()
})

/** An organisation of the owner, with the other user in it when a role is given. */
async function open(role?: string): Promise<string> {
  const { body } = await ask(backend, 'POST /organisations', { token: owner.token, body: { name: 'Team' } })
  const id = String(body['id'])
  if (role !== undefined) {
    await ask(backend, `POST /organisations/${id}/members`, { token: owner.token, body: { email: other.email, role } })
  }
  return id
}

async function actions(id: string): Promise<unknown> {
  const { body } = await ask(backend, `GET /organisations/${id}/audit-log`, { token: owner.token })
  return (body['entries'] as { action: string; actor: { name: string } }[]).map(
    ({ action, actor }) => `${actor.name} ${action}`,
  )
}

test('a user is added by email, gets another role and is removed, and the audit log says by whom', async ({
  expect,
}) => {
  const id = await open()
  const { token } = owner
  const path = `/organisations/${id}/members`
  const added = await ask(backend, `POST ${path}`, { token, body: { email: 'OTHER@example.com', role: 'viewer' } })
  expect(added).toMatchObject({ status: 201, body: { member: { id: other.id, role: 'viewer' } } })
  expect(await ask(backend, `POST ${path}`, { token, body: { email: other.email, role: 'viewer' } })).toMatchObject({
    status: 409,
  })

  const changed = await ask(backend, `PUT ${path}/${other.id}`, { token, body: { role: 'admin' } })
  expect(changed).toMatchObject({ status: 200, body: { email: other.email, role: 'admin' } })
  expect((await ask(backend, `GET ${path}`, { token })).body['members']).toMatchObject([
    { email: other.email, role: 'admin' },
    { email: owner.email, role: 'owner' },
  ])
  expect((await ask(backend, `DELETE ${path}/${other.id}`, { token: other.token })).status).toBe(200)
  expect((await ask(backend, `GET /organisations/${id}`, { token: other.token })).status).toBe(404)

  expect(await actions(id)).toEqual([
    'other@example.com member.removed',
    'owner@example.com member.changed',
    'owner@example.com member.added',
    'owner@example.com member.added',
    'owner@example.com key.created',
    'owner@example.com organisation.created',
  ])
})

test('an invitation is shown once and accepted by the user it was made for, once', async ({ expect }) => {
  const id = await open()
  const body = { email: 'guest@example.com', role: 'member' }
  const invited = await ask(backend, `POST /organisations/${id}/members`, { token: owner.token, body })
  const { token, ...invitation } = invited.body['invitation'] as { token: string; id: string }
  expect(token).toMatch(/^inv_[\w-]{43}$/)
  const { body: open_ } = await ask(backend, `GET /organisations/${id}/invitations`, { token: owner.token })
  expect(open_['invitations']).toEqual([invitation])

  const guest = await signUp(backend, 'guest@example.com')
  const accept = (by: TestUser) => ask(backend, 'POST /invitations/accept', { token: by.token, body: { token } })
  expect((await accept(other)).status).toBe(404)
  expect(await accept(guest)).toMatchObject({ status: 200, body: { organisation: id, role: 'member' } })
  expect((await accept(guest)).status).toBe(404)
  expect((await ask(backend, `GET /organisations/${id}`, { token: guest.token })).status).toBe(200)
})

test('a withdrawn invitation is worth nothing', async ({ expect }) => {
  const id = await open()
  const body = { email: 'late@example.com', role: 'member' }
  const invited = await ask(backend, `POST /organisations/${id}/members`, { token: owner.token, body })
  const invitation = invited.body['invitation'] as { token: string; id: string }
  const path = `/organisations/${id}/invitations/${invitation.id}`
  expect((await ask(backend, `DELETE ${path}`, { token: owner.token })).status).toBe(200)

  const late = await signUp(backend, 'late@example.com')
  const answer = await ask(backend, 'POST /invitations/accept', {
    token: late.token,
    body: { token: invitation.token },
  })
  expect(answer.status).toBe(404)
})

test('an organisation is never without an owner, whoever asks at once', async ({ expect }) => {
  const id = await open()
  const path = `/organisations/${id}/members`
  expect(await ask(backend, `DELETE ${path}/${owner.id}`, { token: owner.token })).toMatchObject({
    status: 409,
    body: { detail: 'This is the last owner. Make another member an owner first.' },
  })
  await ask(backend, `POST ${path}`, { token: owner.token, body: { email: other.email, role: 'owner' } })

  const answers = await Promise.all(
    [owner, other].map((user) =>
      ask(backend, `PUT ${path}/${user.id}`, { token: user.token, body: { role: 'viewer' } }),
    ),
  )
  expect(answers.map(({ status }) => status).sort((one, two) => one - two)).toEqual([200, 409])
})

describe('roles', () => {
  test.for<[string, string, unknown, Record<string, number>]>([
    ['GET', '', undefined, { viewer: 200, member: 200, admin: 200, owner: 200 }],
    ['GET', '/keys', undefined, { viewer: 200, member: 200, admin: 200, owner: 200 }],
    ['POST', '/keys', { name: 'laptop' }, { viewer: 403, member: 201, admin: 201, owner: 201 }],
    ['GET', '/audit-log', undefined, { viewer: 403, member: 403, admin: 200, owner: 200 }],
    ['GET', '/members', undefined, { viewer: 200, member: 200, admin: 200, owner: 200 }],
    ['GET', '/usage', undefined, { viewer: 200, member: 200, admin: 200, owner: 200 }],
    ['POST', '/members', { email: 'a@b', role: 'member' }, { viewer: 403, member: 403, admin: 201, owner: 201 }],
    ['POST', '/members', { email: 'a@b', role: 'owner' }, { viewer: 403, member: 403, admin: 403, owner: 201 }],
    ['PUT', '/limits', { maxConnections: 99 }, { viewer: 403, member: 403, admin: 403, owner: 403 }],
  ])('%s /organisations/:id%s %j → %j', async ([method, path, body, expected], { expect }) => {
    const statuses: Record<string, number> = {}
    for (const role of Object.keys(expected)) {
      const id = await open(role)
      const question = { token: other.token, ...(body !== undefined && { body }) }
      statuses[role] = (await ask(backend, `${method} /organisations/${id}${path}`, question)).status
    }
    expect(statuses).toEqual(expected)
  })

  test('an admin does not touch owners', async ({ expect }) => {
    const id = await open('admin')
    const path = `/organisations/${id}/members/${owner.id}`
    expect((await ask(backend, `DELETE ${path}`, { token: other.token })).status).toBe(403)
    expect((await ask(backend, `PUT ${path}`, { token: other.token, body: { role: 'viewer' } })).status).toBe(403)
  })
})

test('who is no member cannot tell whether an organisation exists', async ({ expect }) => {
  const id = await open()
  for (const request of ['GET ', 'GET /keys', 'GET /members', 'GET /audit-log', 'GET /usage', 'GET /limits']) {
    const [method, path = ''] = request.split(' ')
    const answers = await Promise.all(
      [id, 'nobody'].map((each) => ask(backend, `${method} /organisations/${each}${path}`, { token: other.token })),
    )
    expect(answers.map(({ status }) => status)).toEqual([404, 404])
  }
  const mine = (await ask(backend, 'GET /organisations', { token: other.token })).body['organisations']
  expect(mine).not.toContainEqual(expect.objectContaining({ id }))
})

test('a regenerated key works at once and the old one no more', async ({ expect }) => {
  const id = await open()
  const { token } = owner
  const created = (await ask(backend, `POST /organisations/${id}/keys`, { token, body: { name: 'laptop' } })).body
  const path = `/organisations/${id}/keys/${String(created['id'])}`

  const { status, body } = await ask(backend, `POST ${path}/regenerate`, { token })

  expect({ status, name: body['name'] }).toEqual({ status: 201, name: 'laptop' })
  const { client } = backend.redis
  expect(await client.get(redisKeys.apiKey(hashKey(String(body['key']))))).toBe(id)
  expect(await client.exists(redisKeys.apiKey(hashKey(String(created['key']))))).toBe(0)
  expect((await ask(backend, `POST ${path}/regenerate`, { token })).status).toBe(404)
})

test('what was done stays undone when it cannot be recorded', async ({ expect, onTestFinished }) => {
  const database = await openDatabase(onTestFinished)
  const broken = await startBackend(onTestFinished, database)
  const user = await signUp(broken, 'owner@example.com')
  await database.pool.query('ALTER TABLE audit_log ADD CONSTRAINT full_disk CHECK (false) NOT VALID')

  const request = `POST /organisations/${user.organisation}/keys`
  expect((await ask(broken, request, { token: user.token, body: { name: 'laptop' } })).status).toBe(500)

  const { body } = await ask(broken, `GET /organisations/${user.organisation}/keys`, { token: user.token })
  expect(body['keys']).toHaveLength(1)
})

test('lists come page by page', async ({ expect }) => {
  const id = await open('member')
  for (const name of ['one', 'two']) {
    await ask(backend, `POST /organisations/${id}/keys`, { token: owner.token, body: { name } })
  }
  for (const list of ['keys', 'members', 'audit-log']) {
    const path = `/organisations/${id}/${list}`
    const all = await ask(backend, `GET ${path}`, { token: owner.token })
    const name = Object.keys(all.body)[0] ?? ''
    const paged: unknown[] = []
    let query: string | undefined = '?limit=1'
    while (query !== undefined) {
      const { status, body }: { status: number; body: Record<string, unknown> } = await ask(
        backend,
        `GET ${path}${query}`,
        { token: owner.token },
      )
      expect(status).toBe(200)
      paged.push(...(body[name] as unknown[]))
      query = body['next'] === undefined ? undefined : `?limit=1&after=${encodeURIComponent(body['next'] as string)}`
    }
    expect(paged.length).toBeGreaterThan(1)
    expect(paged).toEqual(all.body[name])
  }
})
