import { rm } from 'node:fs/promises'
import { Redis } from 'ioredis'
import { describe, test, type TestContext } from 'vitest'
import { silentLog } from '../../../services/wire/log.ts'
import { createVirtualClock, type VirtualClock } from '../../core/clock.ts'
import { createEventStream } from '../../core/events.ts'
import type { BackendInstance } from '../../core/system.ts'
import { temporary } from '../redis/contract.ts'
import { emulatedRedis } from '../redis/emulated.ts'
import { installedRedis } from '../redis/installed.ts'
import type { RedisAdapter, RedisBackend } from '../redis/port.ts'
import { connectError, portOf } from '../testing.ts'
import { relayRedis, type Store } from './store.ts'

type OnTestFinished = TestContext['onTestFinished']

const INSTANCES: readonly BackendInstance[] = [
  { name: 'cache-a', role: 'primary', zone: 'a' },
  { name: 'cache-b', role: 'replica', zone: 'b' },
]

const installed = installedRedis()
const { available } = await installed.probe()
const adapters: readonly RedisAdapter[] = available ? [emulatedRedis, installed] : [emulatedRedis]

describe.for(adapters.map((adapter) => [adapter.name, adapter] as const))('over %s Redis', ([, adapter]) => {
  test('a failover keeps the data and the address, and forgets scripts; the instances change places', async ({
    expect,
    onTestFinished,
  }) => {
    const { store, clock } = await startStore(adapter, onTestFinished)
    const { url, faults } = store
    const before = connected(url, onTestFinished)
    await before.set('kept', 'written')
    const hash = String(await before.script('LOAD', 'return 1'))

    const failover = faults?.failover({ durationMs: 5_000 })
    await expect(faults?.failover()).rejects.toThrow('A failover from cache-a is under way.')
    await expect
      .poll(() => before.set('other', 'refused in the end').catch((error: Error) => error.message))
      .toMatch(/^READONLY/)
    await clock.advance(5_000)
    await failover

    expect(store.url).toBe(url)
    expect(faults?.primary).toEqual({ name: 'cache-b', role: 'primary', zone: 'b' })
    const after = connected(url, onTestFinished)
    expect(await after.get('kept')).toBe('written')
    await expect(after.evalsha(hash, 0)).rejects.toThrow(/^NOSCRIPT/)
    expect(await after.set('kept', 'again')).toBe('OK')
  })

  test('a stop during a failover leaves nothing behind', async ({ expect, onTestFinished }) => {
    const { store, backend, clock } = await startStore(adapter, onTestFinished)
    const failover = store.faults?.failover({ durationMs: 5_000 })
    await expect.poll(() => clock.pending).toBeGreaterThan(0)
    await store.stop()
    await clock.advance(5_000)
    await failover
    for (const { url } of [store, backend])
      expect(await connectError('127.0.0.1', portOf({ url }))).toBe('ECONNREFUSED')
  })
})

async function startStore(
  adapter: RedisAdapter,
  onTestFinished: OnTestFinished,
): Promise<{ readonly store: Store; readonly backend: RedisBackend; readonly clock: VirtualClock }> {
  const stateDir = await temporary(onTestFinished)
  onTestFinished(() => rm(`${stateDir}-successor`, { recursive: true, force: true }))
  const backend = await adapter.start({ stateDir, port: 0, log: silentLog })
  const clock = createVirtualClock(0)
  const store = await relayRedis(backend, {
    name: 'cache',
    instances: INSTANCES,
    clock,
    events: createEventStream(),
    port: 0,
  })
  onTestFinished(() => store.stop())
  return { store, backend, clock }
}

function connected(url: string, onTestFinished: OnTestFinished): Redis {
  const client = new Redis(url, { retryStrategy: () => null, enableReadyCheck: false, maxRetriesPerRequest: 0 })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return client
}
