import { rm } from 'node:fs/promises'
import type { Redis } from 'ioredis'
import { test } from 'vitest'
import { connected, contextIn, redisContract, started, temporary } from './contract.ts'
import { installedRedis } from './installed.ts'
import { notingWatch } from '../testing.ts'

const adapter = installedRedis()
const probed = await adapter.probe()

redisContract(adapter, probed.available ? undefined : probed.reason)

test.skipIf(!probed.available)('data are kept from one start to the next', async ({ expect, onTestFinished }) => {
  const stateDir = await temporary(onTestFinished)
  const first = await adapter.start(contextIn(stateDir))
  await connected(first.url, onTestFinished).set('kept', 'still here')
  await first.stop()
  const second = await started(adapter, contextIn(stateDir), onTestFinished)
  expect(await connected(second.url, onTestFinished).get('kept')).toBe('still here')
})

test.skipIf(!probed.available)(
  'a killed server comes back at the same address with what it acknowledged',
  async ({ expect, onTestFinished }) => {
    const { heard, watch } = notingWatch()
    const context = { ...contextIn(await temporary(onTestFinished)), watch }
    const { url, kill } = await started(adapter, context, onTestFinished)
    await connected(url, onTestFinished).set('kept', 'still here')
    kill?.()
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['redis ended with SIGKILL.', 'restored'])
    expect(await connected(url, onTestFinished).get('kept')).toBe('still here')
  },
)

test.skipIf(!probed.available)(
  'a successor has what was written, forgets scripts, serves writes, and is the one that later starts find',
  async ({ expect, onTestFinished }) => {
    const stateDir = await temporary(onTestFinished)
    onTestFinished(() => rm(`${stateDir}-successor`, { recursive: true, force: true }))
    const { heard, watch } = notingWatch()
    const first = await adapter.start({ ...contextIn(stateDir), watch })
    const old = connected(first.url, onTestFinished)
    await old.set('kept', 'still here')
    const hash = String(await old.script('LOAD', 'return 1'))

    const successor = await first.startSuccessor?.()
    await old.set('later', 'replicated')
    await expect.poll(() => connectedReplicas(old)).toBe('1')
    await old.wait(1, 0)
    const before = first.url
    await successor?.promote()

    expect(first.url).not.toBe(before)
    const next = connected(first.url, onTestFinished)
    expect(await next.mget('kept', 'later')).toEqual(['still here', 'replicated'])
    await expect(next.evalsha(hash, 0)).rejects.toThrow(/^NOSCRIPT/)
    expect(await next.set('after', 'written')).toBe('OK')
    await expect(old.ping()).rejects.toThrow()
    first.kill?.()
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['redis ended with SIGKILL.', 'restored'])
    expect(await connected(first.url, onTestFinished).get('after')).toBe('written')
    await (await first.startSuccessor?.())?.discard()
    await first.stop()

    const second = await adapter.start(contextIn(stateDir))
    expect(await connected(second.url, onTestFinished).get('after')).toBe('written')
    const third = await second.startSuccessor?.()
    await third?.promote()
    expect(await connected(second.url, onTestFinished).get('after')).toBe('written')
    await second.stop()
  },
)

test('a server that is not there or is another program is declined with the reason', async ({ expect }) => {
  expect(await installedRedis({ binary: '/nowhere/redis-server' }).probe()).toEqual({
    available: false,
    reason: '/nowhere/redis-server was not found.',
  })
  expect(await installedRedis({ binary: process.execPath }).probe()).toEqual({
    available: false,
    reason: `${process.execPath} is not a Redis or Valkey server.`,
  })
})

async function connectedReplicas(client: Redis): Promise<string | undefined> {
  return /connected_slaves:(\d+)/.exec(await client.info('replication'))?.[1]
}
