import { test } from 'vitest'
import { addKey, startListening, startRedis, TEST_KEY, usageIn } from '../account/testing.ts'
import { startScripted, tone } from '../stt/testing.ts'
import { start } from './service.ts'
import { WebSocket } from 'ws'

test('live', async ({ expect, onTestFinished }) => {
  const redis = await startRedis(onTestFinished)
  await addKey(redis)
  const speech = await startScripted(onTestFinished)
  const { url } = await startListening(onTestFinished, start, {
    REDIS_URL: redis.url,
    STT_SERVERS: `one=${speech.url}`,
  })
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/listen?encoding=linear16`, ['token', TEST_KEY])
  const got: unknown[] = []
  socket.on('message', (data: Buffer) => got.push(JSON.parse(data.toString())))
  await new Promise((resolve) => socket.on('open', resolve))
  socket.send(tone(1))
  socket.send('{"type":"CloseStream"}')
  const code = await new Promise((resolve) => socket.on('close', resolve))
  expect(code).toBe(1000)
})
