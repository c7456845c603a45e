import { readFile } from 'node:fs/promises'
import { DeepgramClient } from '@deepgram/sdk'
import { test } from 'vitest'
import { WebSocket } from 'ws'
import { request } from '../../../services/wire/undici.ts'
import { fixturePath } from '../../../fixtures/fixture-path.ts'
import type { Environment } from '../../core/environment.ts'
import { startTestEnvironment } from '../test-environment.ts'

const CLIP = fixturePath('audio', 'jfk.wav')
const CLIP_SECONDS = 11
const SENTENCE = /ask not what your country can do for you,? ask what you can do for your country/i

test('a file sent with the Deepgram SDK is recognised, billed and in the ledger', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished, engine: 'whisper' })
  const { key } = environment.topology.demo
  const client = new DeepgramClient({ apiKey: key, baseUrl: environment.url })

  const answer = await client.listen.v1.media.transcribeFile(await readFile(CLIP), {})
  const alternative = 'results' in answer ? answer.results.channels[0]?.alternatives?.[0] : undefined
  const { totalSeconds } = await ledgerHolds(environment, CLIP_SECONDS)

  expect(alternative?.transcript).toMatch(SENTENCE)
  expect(totalSeconds).toBeCloseTo(CLIP_SECONDS, 1)
})

test('a live stream through the balancer gives interims, then the words of the file', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished, engine: 'whisper' })
  const { key } = environment.topology.demo
  const client = new DeepgramClient({ apiKey: key, baseUrl: environment.url })
  const socket = await client.listen.v1.connect({ model: 'any', Authorization: `Token ${key}`, vad_events: 'true' })
  const messages: { type: string; is_final?: boolean; transcript: string }[] = []
  socket.on('message', (message) => messages.push(summaryOf(message)))
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.connect()
  await socket.waitForOpen()

  socket.sendMedia(await readFile(CLIP))
  socket.sendCloseStream({ type: 'CloseStream' })
  await closed

  const finals = messages.filter((message) => message.is_final)
  expect(messages.map(({ type }) => type)).toEqual(expect.arrayContaining(['Metadata', 'SpeechStarted', 'Results']))
  expect(finals.map(({ transcript }) => transcript).join(' ')).toMatch(/what your country can do for you/i)
  expect((await ledgerHolds(environment, CLIP_SECONDS)).totalSeconds).toBeCloseTo(CLIP_SECONDS, 1)
})

test('an unknown key is refused before the upgrade, an unknown path in JSON', async ({ expect, onTestFinished }) => {
  const { url, topology } = await startTestEnvironment({ onTestFinished })
  const headers = { authorization: 'Token org_unknown' }

  const socket = new WebSocket(`${url.replace('http', 'ws')}${topology.demo.path}`, { headers })
  const refused = await new Promise<number | undefined>((resolve) => {
    socket.on('unexpected-response', (_request, response) => resolve(response.resume().statusCode))
    socket.on('error', () => undefined)
  })
  const unknownPath = await request(`${url}/v2/listen`)

  expect(refused).toBe(401)
  expect(unknownPath.statusCode).toBe(404)
  expect(await unknownPath.body.json()).toEqual({ error: expect.any(String), request_id: expect.any(String) })
})

function summaryOf(message: unknown): { type: string; is_final?: boolean; transcript: string } {
  // The SDK's types are Deepgram's; only members that both APIs have are read here.
  const { type, is_final, channel } = message as {
    type: string
    is_final?: boolean
    channel?: { alternatives?: { transcript: string }[] }
  }
  const transcript = channel?.alternatives?.[0]?.transcript ?? ''
  return { type, transcript, ...(is_final === undefined ? {} : { is_final }) }
}

/** Waits until the backend has moved the usage event from Redis to PostgreSQL, as its owner sees it. */
async function ledgerHolds(environment: Environment, seconds: number): Promise<{ totalSeconds: number }> {
  const { organisation } = environment.topology.demo
  const deadline = Date.now() + 10_000
  for (;;) {
    const { body } = await request(`${environment.url}/organisations/${organisation}/usage`, {
      headers: { authorization: `Bearer ${environment.secrets['admin-token']}` },
    })
    const { usage } = (await body.json()) as { usage: { seconds: number }[] }
    const totalSeconds = usage.reduce((sum, row) => sum + row.seconds, 0)
    if (totalSeconds >= seconds - 0.05 || Date.now() > deadline) return { totalSeconds }
  }
}
