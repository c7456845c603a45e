import { test } from 'vitest'
import { connected, contextIn, redisContract, started, temporary } from './contract.ts'
import { emulatedRedis } from './emulated.ts'

redisContract(emulatedRedis)

test('it says that it is emulated and what it lacks', async ({ expect, onTestFinished }) => {
  const backend = await started(emulatedRedis, contextIn(await temporary(onTestFinished)), onTestFinished)
  expect(backend.isReal).toBe(false)
  expect(backend.detail).toContain('emulated in this process: no persistence, replication or eviction')
})

test('a killed one drops its connections and comes back empty at the same address', async ({
  expect,
  onTestFinished,
}) => {
  const backend = await started(emulatedRedis, contextIn(await temporary(onTestFinished)), onTestFinished)
  const client = connected(backend.url, onTestFinished)
  await client.set('kept', 'no')
  const closed = new Promise((resolve) => {
    client.once('close', resolve)
  })
  backend.kill?.()
  await closed
  expect(await connected(backend.url, onTestFinished).get('kept')).toBeNull()
})

test('a client that does not read its replies gets all of them later', async ({ expect, onTestFinished }) => {
  const backend = await started(emulatedRedis, contextIn(await temporary(onTestFinished)), onTestFinished)
  const client = connected(backend.url, onTestFinished)
  await client.set('big', Buffer.alloc(1 << 20, 'x'))
  const answers = Array.from({ length: 32 }, () => client.getBuffer('big'))
  client.stream?.pause()
  const other = connected(backend.url, onTestFinished)
  // The one that does not read holds up nobody else.
  expect(await other.ping()).toBe('PONG')
  client.stream?.resume()
  const sizes = (await Promise.all(answers)).map((answer) => answer?.length)
  expect(new Set(sizes)).toEqual(new Set([1 << 20]))
})
