import { DeepgramClient } from '@deepgram/sdk'
import { test } from 'vitest'
import { hashKey } from '../account/keys.ts'
import { TEST_KEY, usageIn } from '../account/testing.ts'
import { silence, tone, wavOf } from '../stt/testing.ts'
import { connectClient, type Message, say, startProxy } from './testing.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

test('speech comes back as words in the documented shapes, and is counted', async ({ expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished)
  const client = await connectClient(onTestFinished, `${socketUrl}/v1/listen?unknown=1&model=any`)

  client.socket.send(wavOf(tone(0.64)))
  client.socket.send(say('CloseStream'))

  expect(await client.closed).toEqual({ code: 1000, reason: '' })
  const [opening, ...results] = client.messages
  const id = opening?.['request_id']
  expect(opening).toEqual({
    type: 'Metadata',
    request_id: expect.stringMatching(UUID) as unknown,
    created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as unknown,
    duration: 0,
    channels: 1,
    model_info: { name: 'scripted', version: '', arch: 'aldea-asr' },
  })
  expect(results.at(-1)).toEqual({
    type: 'Results',
    channel_index: [0],
    duration: 0.64,
    start: 0,
    is_final: true,
    speech_final: false,
    channel: {
      alternatives: [
        {
          transcript: 'Hello, world.',
          confidence: 0.99,
          words: [
            ['Hello,', 0, 320],
            ['world.', 320, 640],
          ],
        },
      ],
    },
    metadata: { request_id: id, model_info: { name: 'scripted', version: null, arch: 'aldea-asr' } },
    text: 'Hello, world.',
  })
  expect(await usageIn(redis)).toEqual([
    { organisation: 'acme', key: hashKey(TEST_KEY), kind: 'stream', path: '/v1/listen', seconds: '0.64', id },
  ])
})

test('events come when asked for, and only then', async ({ expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished)
  const query = 'vad_events=true&utterance_end_ms=500&endpointing=300&interim_results=false'
  const asked = await connectClient(onTestFinished, `${socketUrl}/v1/listen?${query}`)
  const plain = await connectClient(onTestFinished, `${socketUrl}/v1/listen`)

  for (const { socket } of [asked, plain]) {
    socket.send(Buffer.concat([silence(0.5), tone(0.64), silence(2)]))
    socket.send(say('CloseStream'))
  }
  await Promise.all([asked.closed, plain.closed])

  const of = (messages: readonly Message[], type: string): readonly Message[] =>
    messages.filter((message) => message.type === type)
  expect(of(asked.messages, 'SpeechStarted')).toEqual([
    { type: 'SpeechStarted', channel: [0], timestamp: expect.closeTo(0.5, 1) as unknown },
  ])
  expect(of(asked.messages, 'UtteranceEnd')).toEqual([
    { type: 'UtteranceEnd', channel: [0], last_word_end: expect.closeTo(1.15, 1) as unknown },
  ])
  expect(of(asked.messages, 'Results')).toMatchObject([{ is_final: true, speech_final: true }])
  expect(new Set(plain.messages.map(({ type }) => type))).toEqual(new Set(['Metadata', 'Results']))
})

test('Finalize brings what is buffered and the stream goes on', async ({ expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished)
  const { socket, messages, closed } = await connectClient(
    onTestFinished,
    `${socketUrl}/v1/listen?interim_results=false&endpointing=false`,
  )

  socket.send(tone(0.64))
  socket.send(say('Finalize'))
  socket.send(say('KeepAlive'))
  socket.send(tone(0.64))
  socket.send(say('CloseStream'))
  await closed

  expect(messages.slice(1)).toMatchObject([
    { start: 0, is_final: true, from_finalize: true, text: 'Hello, world.' },
    { start: 0.64, is_final: true, text: 'Hello, world.' },
  ])
})

test.for(['?compat=deepgram', ''])('Deepgram shapes come with %s', async (query, { expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished, { variables: query ? {} : { COMPAT: 'deepgram' } })
  const { socket, messages, closed } = await connectClient(onTestFinished, `${socketUrl}/v1/listen${query}`)

  socket.send(tone(0.64))
  socket.send(say('CloseStream'))
  await closed

  const [opening] = messages
  const modelId = expect.stringMatching(UUID) as unknown
  expect(messages.findLast(({ type }) => type === 'Results')).toEqual({
    type: 'Results',
    channel_index: [0, 1],
    duration: 0.64,
    start: 0,
    is_final: true,
    speech_final: false,
    channel: {
      alternatives: [
        {
          transcript: 'Hello, world.',
          confidence: 0.99,
          words: [
            { word: 'hello', start: 0, end: 0.32, confidence: 0.99, punctuated_word: 'Hello,' },
            { word: 'world', start: 0.32, end: 0.64, confidence: 0.99, punctuated_word: 'world.' },
          ],
        },
      ],
    },
    metadata: {
      request_id: opening?.['request_id'],
      model_info: { name: 'scripted', version: '1', arch: 'aldea-asr' },
      model_uuid: modelId,
    },
    from_finalize: false,
  })
  expect(messages.at(-1)).toMatchObject({
    type: 'Metadata',
    request_id: opening?.['request_id'],
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    duration: 0.64,
    models: [modelId],
  })
})

test.for(['/listen', '/listen/v1', '/v1/listen/pcm'])('%s does the same', async (path, { expect, onTestFinished }) => {
  const { socketUrl, redis } = await startProxy(onTestFinished)
  const { socket, messages, closed } = await connectClient(onTestFinished, `${socketUrl}${path}?encoding=linear16`)

  socket.send(tone(0.64))
  socket.send(say('CloseStream'))

  expect((await closed).code).toBe(1000)
  expect(messages.at(-1)).toMatchObject({ type: 'Results', is_final: true, text: 'Hello, world.' })
  expect(await usageIn(redis)).toMatchObject([{ path }])
})

test('the Deepgram SDK hears its words live', async ({ expect, onTestFinished }) => {
  const { url, redis } = await startProxy(onTestFinished)
  const deepgram = new DeepgramClient({ apiKey: TEST_KEY, baseUrl: url })
  const connection = await deepgram.listen.v1.connect({
    model: 'nova-3',
    encoding: 'linear16',
    sample_rate: 16_000,
    Authorization: `Token ${TEST_KEY}`,
  })
  const messages: { type: string; is_final?: boolean | undefined }[] = []
  connection.on('message', (message) => messages.push(message as { type: string }))
  const closed = new Promise<number>((resolve) => connection.on('close', ({ code }) => resolve(code)))
  connection.connect()
  await connection.waitForOpen()

  connection.sendMedia(tone(0.64))
  connection.sendCloseStream({ type: 'CloseStream' })

  expect(await closed).toBe(1000)
  expect(messages[0]).toMatchObject({ type: 'Metadata' })
  expect(messages.at(-1)).toMatchObject({
    type: 'Results',
    is_final: true,
    channel: { alternatives: [{ transcript: 'Hello, world.' }] },
  })
  expect(await usageIn(redis)).toMatchObject([{ kind: 'stream', seconds: '0.64' }])
})

test.for<[why: string, protocols: string[], headers: Record<string, string>, selected: string]>([
  ['as a token in the protocols', ['token', TEST_KEY], {}, 'token'],
  ['as a bearer in the protocols', ['Bearer', TEST_KEY], {}, 'Bearer'],
  ['before a session id', ['token', TEST_KEY, 'x-deepgram-session-id', '0b5e'], {}, 'token'],
  ['as a bearer in the header', [], { authorization: `Bearer ${TEST_KEY}` }, ''],
  ['as a token in the header', [], { authorization: `token ${TEST_KEY}` }, ''],
  ['in the header beside a bad one', ['token', 'org_bad'], { authorization: `Token ${TEST_KEY}` }, 'token'],
])('a key counts %s', async ([, protocols, headers, selected], { expect, onTestFinished }) => {
  const { socketUrl } = await startProxy(onTestFinished)
  const { socket, next } = await connectClient(onTestFinished, `${socketUrl}/v1/listen`, protocols, { headers })
  expect(await next('Metadata')).toMatchObject({ duration: 0 })
  expect(socket.protocol).toBe(selected)
})
