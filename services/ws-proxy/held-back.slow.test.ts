import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { usageIn } from '../account/testing.ts'
import { startScripted } from '../stt/testing.ts'
import { connectClient, say, startProxy } from './testing.ts'

test('a client that the dead server held back is let go by the next', async ({ onTestFinished }) => {
  const deaf = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  deaf.on('connection', (socket) => {
    socket.send(JSON.stringify({ type: 'Open', model: { name: 'test', version: '1' } }))
    socket.pause()
  })
  onTestFinished(() => deaf.close())
  await once(deaf, 'listening')
  const next = await startScripted(onTestFinished, { default: 'Hello, world.' })
  const { socketUrl, redis } = await startProxy(onTestFinished, {
    variables: { STT_SERVERS: `deaf=http://127.0.0.1:${(deaf.address() as AddressInfo).port},next=${next.url}` },
  })
  const { socket, closed } = await connectClient(
    onTestFinished,
    `${socketUrl}/v1/listen?encoding=linear16&sample_rate=48000&channels=16`,
  )
  // More than the sockets between here and the deaf server, and the proxy, hold together.
  const second = Buffer.alloc(48_000 * 16 * 2)
  const seconds = 20
  for (let sent = 0; sent < seconds; sent += 1) socket.send(second)
  socket.send(say('CloseStream'))
  let before = -1
  const isHeldBack = (): boolean => {
    const isStill = socket.bufferedAmount === before
    before = socket.bufferedAmount
    return isStill && before > 0
  }
  await expect.poll(isHeldBack, { interval: 200 }).toBe(true)

  for (const each of deaf.clients) each.terminate()

  expect(await closed).toEqual({ code: 1000, reason: '' })
  expect(await usageIn(redis)).toMatchObject([{ seconds: '20' }])
})
