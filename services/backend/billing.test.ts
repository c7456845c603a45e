import { test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { hashKey } from '../account/keys.ts'
import { redisKeys } from '../account/redis-keys.ts'
import { ask, signUp, startBackend, type TestBackend, usePostgres } from './testing.ts'

const openDatabase = usePostgres()

interface Used {
  readonly organisation: string
  readonly key: string
}

/** Writes into the ledger what the consumer would. */
async function use({ database }: TestBackend, { organisation, key }: Used, entries: [string, string, number][]) {
  for (const [at, kind, seconds] of entries) {
    await database.pool.query(
      `INSERT INTO usage_ledger (event_id, organisation_id, key_hash, kind, seconds, ended_at, recorded_at)
       VALUES ($1, $2, $3, $4, $5, $6, $6)`,
      [`${at} ${kind} ${hashKey(key)}`, organisation, hashKey(key), kind, seconds, at],
    )
  }
}

test('each part of the running month is priced by the plan then in force, and credit pays first', async ({
  expect,
  onTestFinished,
}) => {
  const clock = createVirtualClock(Date.parse('2026-02-15T06:00:00Z'))
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished), { clock })
  const user = await signUp(backend, 'ada@example.com')
  const { token, organisation } = user
  const path = `/organisations/${organisation}`
  const preview = async () => (await ask(backend, `GET ${path}/invoice-preview`)).body
  await use(backend, user, [
    ['2026-01-31T23:59:59.999Z', 'file', 999],
    ['2026-02-01T00:00:00Z', 'file', 18_000],
    ['2026-02-15T05:59:59.999Z', 'stream', 18_000],
    ['2026-02-15T06:00:00Z', 'file', 7_200],
    ['2026-02-28T12:00:00Z', 'stream', 1_800.5],
    ['2026-03-01T00:00:00Z', 'stream', 999],
  ])

  expect(await preview()).toMatchObject({ parts: [{ plan: 'free', days: 28 }], totalMicros: 0 })
  await ask(backend, `PUT ${path}/plan`, { token, body: { plan: 'pay-as-you-go' } })
  expect(await backend.redis.client.hget(redisKeys.limits(organisation), 'max_connections')).toBe('50')
  await ask(backend, `POST ${path}/credit`, { body: { amountMicros: 200_000, reason: 'Welcome' } })

  const free = {
    plan: 'free',
    from: '2026-02-01T00:00:00.000Z',
    to: '2026-02-15T06:00:00.000Z',
    days: 14,
    lines: [
      // The half of ten hours.
      { description: 'Live transcription, included', quantityMs: 18_000_000, amountMicros: 0 },
      { description: 'File transcription', quantityMs: 18_000_000, perHourMicros: 0, amountMicros: 0 },
    ],
    subtotalMicros: 0,
  }
  expect(await preview()).toEqual({
    from: '2026-02-01T00:00:00.000Z',
    to: '2026-03-01T00:00:00.000Z',
    parts: [
      free,
      {
        plan: 'pay-as-you-go',
        from: '2026-02-15T06:00:00.000Z',
        to: '2026-03-01T00:00:00.000Z',
        days: 14,
        lines: [
          { description: 'Live transcription', quantityMs: 1_800_500, perHourMicros: 450_000, amountMicros: 225_063 },
          { description: 'File transcription', quantityMs: 7_200_000, perHourMicros: 250_000, amountMicros: 500_000 },
        ],
        subtotalMicros: 725_063,
      },
    ],
    subtotalMicros: 725_063,
    creditMicros: 200_000,
    totalMicros: 525_063,
  })

  // By hand, at a later moment of the same month.
  await backend.database.pool.query(
    `UPDATE subscriptions SET plan = 'growth', since = '2026-02-27T12:00:00Z' WHERE organisation_id = $1`,
    [organisation],
  )
  expect(await preview()).toMatchObject({
    parts: [
      free,
      { plan: 'pay-as-you-go', days: 12, subtotalMicros: 500_000 },
      {
        plan: 'growth',
        days: 2,
        lines: [
          { description: 'Growth, 2 of 28 days', amountMicros: 7_071_429 },
          { description: 'Live transcription, included', quantityMs: 1_800_500 },
        ],
      },
    ],
    subtotalMicros: 7_571_429,
  })

  await clock.advance(14 * 24 * 3_600_000)
  expect(await preview()).toMatchObject({
    from: '2026-03-01T00:00:00.000Z',
    parts: [{ plan: 'growth', days: 31, lines: [{ description: 'Growth, a month' }, { quantityMs: 999_000 }] }],
    totalMicros: 98_800_000,
  })
})

test('credit is given by the platform only, and its movements are listed', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const { token, organisation } = await signUp(backend, 'ada@example.com')
  const path = `/organisations/${organisation}/credit`
  const grant = (amountMicros: number, by = {}) =>
    ask(backend, `POST ${path}`, { body: { amountMicros, reason: 'Welcome' }, ...by })
  expect((await grant(1, { token })).status).toBe(403)
  expect((await grant(0)).status).toBe(400)
  expect((await grant(0.5)).status).toBe(400)
  expect((await grant(5_000_000)).status).toBe(201)
  expect((await grant(-1)).status).toBe(201)

  const { body } = await ask(backend, `GET ${path}?limit=1`, { token })
  expect(body).toMatchObject({ balanceMicros: 4_999_999, movements: [{ amountMicros: -1, reason: 'Welcome' }] })
  const { body: rest } = await ask(backend, `GET ${path}?after=${body['next'] as string}`, { token })
  expect(rest['movements']).toMatchObject([{ amountMicros: 5_000_000 }])
})

test('plans are open to everybody and taken by owners', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const response = await fetch(`${backend.url}/plans`)
  const { plans } = (await response.json()) as { plans: { id: string }[] }
  expect(plans.map(({ id }) => id)).toEqual(['free', 'pay-as-you-go', 'growth'])

  const { token, organisation } = await signUp(backend, 'ada@example.com')
  const path = `/organisations/${organisation}/plan`
  expect(await ask(backend, `PUT ${path}`, { token, body: { plan: 'gratis' } })).toMatchObject({ status: 400 })
  expect(await ask(backend, `PUT ${path}`, { token, body: { plan: 'growth' } })).toMatchObject({ status: 200 })
  expect(await ask(backend, `GET ${path}`, { token })).toMatchObject({ status: 200, body: { id: 'growth' } })
})

test('usage is summed by day, key and endpoint, within a span of days', async ({ expect, onTestFinished }) => {
  const backend = await startBackend(onTestFinished, await openDatabase(onTestFinished))
  const user = await signUp(backend, 'ada@example.com')
  const { token, organisation } = user
  const path = `/organisations/${organisation}`
  const { body: laptop } = await ask(backend, `POST ${path}/keys`, { token, body: { name: 'laptop' } })
  await use(backend, user, [['2026-02-01T10:00:00Z', 'file', 60]])
  await use(backend, { organisation, key: laptop['key'] as string }, [
    ['2026-02-01T11:00:00Z', 'file', 1.5],
    ['2026-02-02T00:00:00Z', 'stream', 2],
  ])
  const usage = async (query: string) => (await ask(backend, `GET ${path}/usage${query}`, { token })).body['usage']

  expect(await usage('?from=2026-02-01&to=2026-02-02')).toEqual([
    { day: '2026-02-01', kind: 'file', seconds: 61.5, count: 2 },
  ])
  expect(await usage('?by=key&from=2026-02-01')).toEqual(
    expect.arrayContaining([
      { key: expect.objectContaining({ name: 'Acme' }) as unknown, kind: 'file', seconds: 60, count: 1 },
      { key: { id: laptop['id'], name: 'laptop' }, kind: 'file', seconds: 1.5, count: 1 },
      { key: { id: laptop['id'], name: 'laptop' }, kind: 'stream', seconds: 2, count: 1 },
    ]),
  )
  expect(await usage('?by=endpoint')).toEqual([
    { endpoint: 'POST /v1/listen', kind: 'file', seconds: 61.5, count: 2 },
    { endpoint: 'WebSocket /v1/listen', kind: 'stream', seconds: 2, count: 1 },
  ])
  for (const query of ['?by=hour', '?from=2026-02-30', '?to=tomorrow']) {
    expect((await ask(backend, `GET ${path}/usage${query}`, { token })).status).toBe(400)
  }
})
