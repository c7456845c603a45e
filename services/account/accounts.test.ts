import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, test, type TestContext } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../../emulator/core/clock.ts'
import { emulatedRedis } from '../../emulator/backends/redis/emulated.ts'
import { installedRedis } from '../../emulator/backends/redis/installed.ts'
import { silentLog } from '../wire/log.ts'
import { type Accounts, connectAccounts } from './accounts.ts'
import { hashKey } from './keys.ts'
import type { UsageEvent } from './metering.ts'
import { addKey, startRedis, TEST_KEY, type TestRedis, usageIn } from './testing.ts'

const installed = installedRedis()
const probe = await installed.probe()

describe.for([
  { name: 'an emulated Redis', adapter: emulatedRedis, isThere: true },
  { name: 'an installed Redis', adapter: installed, isThere: probe.available },
])('on $name', ({ adapter, isThere }) => {
  const fresh = async (onTestFinished: TestContext['onTestFinished']): Promise<Fresh> => {
    const stateDir = await mkdtemp(join(tmpdir(), 'accounts-'))
    const { url, stop } = await adapter.start({ stateDir, port: 0, log: silentLog })
    const client = new Redis(url)
    const clock = createVirtualClock(NOON)
    const accounts = await connectAccounts(url, { clock, log: silentLog })
    onTestFinished(async () => {
      await accounts.stop()
      client.disconnect()
      await stop()
      await rm(stateDir, { recursive: true })
    })
    return { client, accounts, clock }
  }

  test.runIf(isThere)('a key is known by its hash', async ({ expect, onTestFinished }) => {
    const { client, accounts } = await fresh(onTestFinished)
    await addKey({ client }, { max_connections: 3, requests_per_minute: 9 })

    expect(await accounts.admit(['org_other', TEST_KEY])).toEqual({
      organisation: 'acme',
      keyHash: hashKey(TEST_KEY),
      limits: { maxConnections: 3, requestsPerMinute: 9 },
    })
    await expect(accounts.admit(['org_other'])).rejects.toMatchObject({ status: 401 })
    await expect(accounts.admit([])).rejects.toMatchObject({ status: 401 })
  })

  test.runIf(isThere)('places run out, are given back, and expire', async ({ expect, onTestFinished }) => {
    const { client, accounts, clock } = await fresh(onTestFinished)
    await addKey({ client }, { max_connections: 2 })
    const account = await accounts.admit([TEST_KEY])
    const [first, second] = [await accounts.openConnection(account, 'a'), await accounts.openConnection(account, 'b')]

    await expect(accounts.openConnection(account, 'c')).rejects.toMatchObject({ status: 429, retryAfterSeconds: 1 })
    await first.release()
    await first.release()
    const third = await accounts.openConnection(account, 'c')
    second.abandon()
    third.abandon()
    await clock.advance(60_000)

    await accounts.openConnection(account, 'd')
    expect(await client.zrange('org:acme:connections', '0', '-1')).toEqual(['d'])
  })

  test.runIf(isThere)('a minute has so many requests', async ({ expect, onTestFinished }) => {
    const { client, accounts, clock } = await fresh(onTestFinished)
    await addKey({ client }, { requests_per_minute: 2 })
    await clock.advance(59_500)
    await accounts.admit([TEST_KEY])
    await accounts.admit([TEST_KEY])

    await expect(accounts.admit([TEST_KEY])).rejects.toMatchObject({ status: 429, retryAfterSeconds: 1 })
    await clock.advance(500)

    expect(await accounts.admit([TEST_KEY])).toMatchObject({ organisation: 'acme' })
    // The counter of a minute does not stay for ever.
    expect(await client.pttl(`org:acme:requests:${Math.floor(NOON / 60_000)}`)).toBeGreaterThan(0)
  })

  test.runIf(isThere)('usage is one entry of the stream', async ({ expect, onTestFinished }) => {
    const { client, accounts } = await fresh(onTestFinished)

    await accounts.record(usage('r1', 1.23456))

    const [entry] = await client.xrange('usage:events', '-', '+')
    expect(entry?.[1]).toEqual(
      [
        'organisation',
        'acme',
        'key',
        'ab',
        'kind',
        'file',
        'path',
        '/v1/listen',
        'seconds',
        '1.235',
        'id',
        'r1',
      ].concat('at', '2026-01-01T12:00:00.000Z'),
    )
  })
})

test('while Redis is away everything is refused and usage is kept, in order', async ({ expect, onTestFinished }) => {
  const redis = await startRedis(onTestFinished)
  await addKey(redis)
  const accounts = await connectAccounts(redis.url, { clock: createVirtualClock(NOON), log: silentLog })
  onTestFinished(() => accounts.stop())
  const account = await accounts.admit([TEST_KEY])
  await accounts.record(usage('r1', 1))

  await redis.stop()
  await Promise.all([accounts.record(usage('r2', 2)), accounts.record(usage('r3', 3))])
  await accounts.record(usage('r4', 4))
  const away = { status: 503, retryAfterSeconds: 1 }
  await expect(accounts.admit([TEST_KEY])).rejects.toMatchObject(away)
  await expect(accounts.openConnection(account, 'a')).rejects.toMatchObject(away)
  await redis.restart()

  await expect.poll(() => idsIn(redis)).toEqual(['r2', 'r3', 'r4'])
})

test('a service starts while Redis is away', async ({ expect, onTestFinished }) => {
  const redis = await startRedis(onTestFinished)
  await redis.stop()
  const accounts = await connectAccounts(redis.url, { clock: createVirtualClock(NOON), log: silentLog })
  onTestFinished(() => accounts.stop())

  await expect(accounts.admit([TEST_KEY])).rejects.toMatchObject({ status: 503 })
  await redis.restart()
  await expect.poll(() => addKey(redis).then(() => accounts.admit([TEST_KEY]).catch(() => undefined))).toBeDefined()
})

test('usage that could not be written by the end is logged, not silently dropped', async ({
  expect,
  onTestFinished,
}) => {
  const redis = await startRedis(onTestFinished)
  const errors: unknown[] = []
  const log = { ...silentLog, error: (fields: unknown) => void errors.push(fields) }
  const accounts = await connectAccounts(redis.url, { clock: createVirtualClock(NOON), log })
  await redis.stop()

  await accounts.record(usage('r1', 1))
  await accounts.stop()

  expect(errors).toEqual([{ usage: usage('r1', 1) }])
})

const NOON = Date.UTC(2026, 0, 1, 12)

interface Fresh {
  readonly client: Redis
  readonly accounts: Accounts
  readonly clock: VirtualClock
}

function usage(id: string, seconds: number): UsageEvent {
  return { id, organisation: 'acme', keyHash: 'ab', kind: 'file', path: '/v1/listen', seconds, at: NOON }
}

async function idsIn(redis: TestRedis): Promise<(string | undefined)[]> {
  return (await usageIn(redis)).map(({ id }) => id)
}
