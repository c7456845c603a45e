import { test } from 'vitest'
import { connected, contextIn, redisContract, started, temporary } from './contract.ts'
import { installedRedis } from './installed.ts'

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
    const heard: string[] = []
    const watch = { lost: (reason: string) => heard.push(reason), restored: () => heard.push('restored') }
    const context = { ...contextIn(await temporary(onTestFinished)), watch }
    const { url, kill } = await started(adapter, context, onTestFinished)
    await connected(url, onTestFinished).set('kept', 'still here')
    kill?.()
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['redis ended with SIGKILL.', 'restored'])
    expect(await connected(url, onTestFinished).get('kept')).toBe('still here')
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
