import { once } from 'node:events'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../emulator/core/clock.ts'
import { usageIn } from '../account/testing.ts'
import { silence, startScripted, type TestServer, tone, wavOf } from '../stt/testing.ts'
import type { Runtime } from '../wire/runtime.ts'
import { connectClient, type Message, say, startProxy, type TestClient } from './testing.ts'

type OnFinished = (cleanup: () => Promise<void> | void) => void

/** Two words of sound, then a pause long enough to be one. */
const UTTERANCE = Buffer.concat([tone(0.64), silence(0.48)])
const QUERY = 'encoding=linear16&endpointing=300&interim_results=true'

const SCRIPT = { default: 'Hello, world.' }

async function startTwo(
  onFinished: OnFinished,
  runtime: Partial<Runtime> = {},
): Promise<{ url: string; servers: TestServer[]; redis: Parameters<typeof usageIn>[0] }> {
  const servers = await Promise.all([1, 2].map(() => startScripted(onFinished, SCRIPT)))
  const list = servers.map(({ url }, index) => `server-${index}=${url}`).join(',')
  const { socketUrl, redis } = await startProxy(onFinished, {
    variables: { STT_SERVERS: list, IDLE_TIMEOUT_MS: '60000' },
    runtime,
  })
  return { url: `${socketUrl}/v1/listen`, servers, redis }
}

type Word = readonly [string, number, number]

/** The words of all finals: what was said, with its times in milliseconds. */
function wordsOf(messages: readonly Message[]): Word[] {
  return messages
    .filter((message) => message.type === 'Results' && message['is_final'] === true)
    .flatMap(({ channel }) => (channel as { alternatives: { words: Word[] }[] }).alternatives[0]?.words ?? [])
}

const EXPECTED: Word[] = [0, 1, 2].flatMap((utterance) => [
  ['Hello,', utterance * 1_120, utterance * 1_120 + 320],
  ['world.', utterance * 1_120 + 320, utterance * 1_120 + 640],
])

/** All words once and in order, at their times; the grid of frames may begin elsewhere at another server. */
function expectEveryWord(messages: readonly Message[]): void {
  const words = wordsOf(messages)
  expect(words.map(([word]) => word)).toEqual(EXPECTED.map(([word]) => word))
  for (const [index, [, start]] of words.entries()) {
    expect(Math.abs(start - (EXPECTED[index]?.[1] ?? 0))).toBeLessThanOrEqual(100)
  }
}

async function finish({ socket, closed }: TestClient): Promise<void> {
  socket.send(say('CloseStream'))
  expect(await closed).toEqual({ code: 1000, reason: '' })
}

test('a stream whose speech server dies goes on at the other one, every word once', async ({ onTestFinished }) => {
  const { url, servers, redis } = await startTwo(onTestFinished)
  const client = await connectClient(onTestFinished, `${url}?${QUERY}`)
  client.socket.send(UTTERANCE)
  await expect.poll(() => wordsOf(client.messages)).toHaveLength(2)
  // In the middle of a phrase: nothing of it is final yet.
  client.socket.send(UTTERANCE.subarray(0, 16_000))

  servers[0]?.running.kill()

  client.socket.send(UTTERANCE.subarray(16_000))
  client.socket.send(UTTERANCE)
  await finish(client)
  expectEveryWord(client.messages)
  expect(client.messages.filter(({ type }) => type === 'Error')).toEqual([])
  expect(await usageIn(redis)).toMatchObject([{ seconds: '3.36' }])
})

test('a WAV file that is streamed is heard again from its start, and said on from where it was', async ({
  onTestFinished,
}) => {
  const { url, servers } = await startTwo(onTestFinished)
  const client = await connectClient(onTestFinished, `${url}?endpointing=300`)
  const file = Buffer.from(wavOf(Buffer.concat([UTTERANCE, UTTERANCE, UTTERANCE])))
  const cut = 44 + UTTERANCE.length + 16_000
  client.socket.send(file.subarray(0, cut))
  await expect.poll(() => wordsOf(client.messages)).toHaveLength(2)

  servers[0]?.running.kill()

  client.socket.send(file.subarray(cut))
  await finish(client)
  expectEveryWord(client.messages)
})

test('wherever in a stream its server dies, every word comes once', async ({ onTestFinished }) => {
  const audio = Buffer.concat([UTTERANCE, UTTERANCE, UTTERANCE])
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: audio.length / 2 }), async (sample) => {
      const { url, servers } = await startTwo(onTestFinished)
      const client = await connectClient(onTestFinished, `${url}?${QUERY}`)
      client.socket.send(audio.subarray(0, sample * 2))
      // It has been heard when something sent after it is answered.
      client.socket.send('?')
      await client.next('Error')
      servers[0]?.running.kill()
      client.socket.send(audio.subarray(sample * 2))
      await finish(client)
      expectEveryWord(client.messages)
      expect(client.messages.filter(({ type }) => type === 'Error')).toHaveLength(1)
    }),
    { numRuns: 6 },
  )
})

test('a request to finalize that the dead server did not answer is answered by the next', async ({
  onTestFinished,
}) => {
  const { url, servers } = await startTwo(onTestFinished)
  const client = await connectClient(onTestFinished, `${url}?${QUERY}`)
  client.socket.send(tone(0.64))
  client.socket.send('?')
  await client.next('Error')
  servers[0]?.running.kill()
  client.socket.send(say('Finalize'))

  await expect.poll(() => wordsOf(client.messages)).toHaveLength(2)
  await finish(client)
  expect(wordsOf(client.messages)).toHaveLength(2)
})

test('a stream outlives the only speech server, when another one takes its place', async ({ onTestFinished }) => {
  const first = await startScripted(onTestFinished, SCRIPT)
  const { socketUrl, redis } = await startProxy(onTestFinished, { variables: { STT_SERVERS: `only=${first.url}` } })
  const client = await connectClient(onTestFinished, `${socketUrl}/v1/listen?${QUERY}`)
  client.socket.send(UTTERANCE)
  await expect.poll(() => wordsOf(client.messages)).toHaveLength(2)
  const gone = once(first.running.server ?? client.socket, 'close')

  first.running.kill()

  await gone
  client.socket.send(UTTERANCE)
  client.socket.send(UTTERANCE)
  client.socket.send(say('CloseStream'))
  // By its answer the proxy has taken all of it.
  client.socket.ping()
  await once(client.socket, 'pong')
  await startScripted(onTestFinished, SCRIPT, {}, Number(new URL(first.url).port))

  expect(await client.closed).toEqual({ code: 1000, reason: '' })
  expectEveryWord(client.messages)
  expect(await usageIn(redis)).toMatchObject([{ seconds: '3.36' }])
})

test('when no speech server is left the client is told', async ({ onTestFinished }) => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const { url, servers } = await startTwo(onTestFinished, { clock })
  const client = await connectClient(onTestFinished, `${url}?${QUERY}`)
  client.socket.send(tone(1.28))
  await client.next('Results')

  for (const { running } of servers) running.kill()

  await expect
    .poll(async () => {
      await clock.advance(1_000)
      return client.socket.readyState
    })
    .toBe(client.socket.CLOSED)
  expect(await client.closed).toEqual({ code: 1011, reason: 'NET-0000' })
  expect(client.messages.at(-1)).toMatchObject({ type: 'Error', variant: 'ServerError' })
})

/** Where, in seconds, the words end after which an utterance was said to be over. */
function utteranceEndsOf(messages: readonly Message[]): number[] {
  return messages.filter(({ type }) => type === 'UtteranceEnd').map((message) => Number(message['last_word_end']))
}

test.for([
  { name: 'raw audio', query: QUERY, header: 0 },
  { name: 'a WAV file', query: 'endpointing=300', header: 44 },
])(
  'of $name every end of an utterance is said once, wherever its server dies',
  async ({ query, header }, { onTestFinished }) => {
    const pause = silence(1.6)
    const words = Buffer.concat([tone(0.64), pause])
    const speech = Buffer.concat([words, words])
    const audio = header ? Buffer.from(wavOf(speech)) : speech
    // In a word; after its final and before the end of the utterance; after that.
    for (const [diesAt, wordsBefore, endsBefore] of [
      [0.5, 0, 0],
      [1.4, 2, 0],
      [1.9, 2, 1],
    ] as const) {
      const { url, servers } = await startTwo(onTestFinished)
      const client = await connectClient(onTestFinished, `${url}?${query}&utterance_end_ms=1000&interim_results=true`)
      const cut = header + diesAt * 32_000
      client.socket.send(audio.subarray(0, cut))
      client.socket.send('?')
      await client.next('Error')
      await expect.poll(() => wordsOf(client.messages)).toHaveLength(wordsBefore)
      await expect.poll(() => utteranceEndsOf(client.messages)).toHaveLength(endsBefore)

      servers[0]?.running.kill()

      client.socket.send(audio.subarray(cut))
      await finish(client)
      expect(wordsOf(client.messages)).toHaveLength(4)
      expect(utteranceEndsOf(client.messages), `dead at ${diesAt} s`).toEqual([
        expect.closeTo(0.64, 0),
        expect.closeTo(2.88, 0),
      ])
    }
  },
)
