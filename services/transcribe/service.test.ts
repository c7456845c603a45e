import { DeepgramClient } from '@deepgram/sdk'
import { test } from 'vitest'
import { hashKey } from '../account/keys.ts'
import { TEST_KEY, usageIn } from '../account/testing.ts'
import { tone, wavOf } from '../stt/testing.ts'
import { BEARER, startTranscribe } from './testing.ts'

const CLIP = wavOf(tone(1))

test('a file comes back as text in the documented shape, and is counted', async ({ expect, onTestFinished }) => {
  const { url, redis } = await startTranscribe(onTestFinished)

  const answer = await fetch(`${url}/v1/listen?model=any&unknown=1`, {
    method: 'POST',
    headers: { ...BEARER, timestamps: 'true' },
    body: CLIP,
  })

  const id = answer.headers.get('dg-request-id')
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({
    metadata: {
      request_id: id,
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as unknown,
      duration: 1,
      channels: 1,
    },
    results: {
      channels: [
        {
          alternatives: [
            {
              transcript: 'Hello, world.',
              confidence: 0.99,
              words: [
                { word: 'Hello,', start: 0, end: 0.5 },
                { word: 'world.', start: 0.5, end: 1 },
              ],
            },
          ],
        },
      ],
    },
    text: 'Hello, world.',
  })
  expect(await usageIn(redis)).toEqual([
    { organisation: 'acme', key: hashKey(TEST_KEY), kind: 'file', path: '/v1/listen', seconds: '1', id },
  ])
})

test('words come only when asked for, the language only when it was detected', async ({ expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished)
  const channelOf = async (query: string): Promise<unknown> => {
    const answer = await fetch(`${url}/v1/listen${query}`, { method: 'POST', headers: BEARER, body: CLIP })
    const { results } = (await answer.json()) as { results: { channels: unknown[] } }
    return results.channels[0]
  }
  const alternatives = [{ transcript: 'Hello, world.', confidence: 0.99, words: [] }]

  expect(await channelOf('')).toEqual({ alternatives })
  expect(await channelOf('?detect_language=TRUE')).toEqual({ alternatives, detected_language: 'en' })
  expect(await channelOf('?lang=auto')).toEqual({ alternatives, detected_language: 'en' })
})

test.for(['?compat=deepgram', ''])('Deepgram words come with %s', async (query, { expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished, { variables: query ? {} : { COMPAT: 'deepgram' } })

  const answer = await fetch(`${url}/v1/listen${query}`, { method: 'POST', headers: BEARER, body: CLIP })
  const body = (await answer.json()) as { results: { channels: { alternatives: unknown[] }[] } }

  expect(body).not.toHaveProperty('text')
  expect(body.results.channels[0]?.alternatives[0]).toEqual({
    transcript: 'Hello, world.',
    confidence: 0.99,
    words: [
      { word: 'hello', start: 0, end: 0.5, confidence: 0.99, punctuated_word: 'Hello,' },
      { word: 'world', start: 0.5, end: 1, confidence: 0.99, punctuated_word: 'world.' },
    ],
  })
})

test.for([
  '/v1/listen/media',
  '/v1/listen/media/transcribe',
  '/v1/listen/media/transcribe_file',
  '/listen',
  '/listen/v1',
])('%s does the same', async (path, { expect, onTestFinished }) => {
  const { url, redis } = await startTranscribe(onTestFinished)
  const answer = await fetch(`${url}${path}?model=any`, { method: 'POST', headers: BEARER, body: CLIP })
  expect(await answer.json()).toMatchObject({ metadata: { duration: 1 }, text: 'Hello, world.' })
  expect(await usageIn(redis)).toMatchObject([{ path }])
})

test.for(['/transcribe', '/asr/transcribe'])('%s answers older clients', async (path, { expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished)
  const headers = { ...BEARER, 'content-type': 'wave' }
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: CLIP })
  expect(await answer.json()).toEqual({ text: 'Hello, world.' })
})

test.for(['audio/wav', 'audio/*', 'wave', 'deepgram/audio+video'])(
  'a body of type %s is audio',
  async (type, { expect, onTestFinished }) => {
    const { url } = await startTranscribe(onTestFinished)
    const headers = { ...BEARER, 'content-type': type }
    const answer = await fetch(`${url}/v1/listen`, { method: 'POST', headers, body: CLIP })
    expect(await answer.json()).toMatchObject({ text: 'Hello, world.' })
  },
)

test('the Deepgram SDK transcribes a file', async ({ expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished)
  const client = new DeepgramClient({ apiKey: TEST_KEY, baseUrl: url })

  const answer = await client.listen.v1.media.transcribeFile(Buffer.from(CLIP), { model: 'nova-3', smart_format: true })

  expect(answer).toMatchObject({
    metadata: { duration: 1, channels: 1 },
    results: { channels: [{ alternatives: [{ transcript: 'Hello, world.' }] }] },
  })
})

test('a page in a browser may call it', async ({ expect, onTestFinished }) => {
  const { url } = await startTranscribe(onTestFinished)

  const preflight = await fetch(`${url}/v1/listen`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,timestamps',
    },
  })
  const refusal = await fetch(`${url}/v1/listen`, { method: 'POST', headers: { origin: 'https://example.com' } })

  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
  expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type,timestamps')
  expect([refusal.status, refusal.headers.get('access-control-allow-origin')]).toEqual([401, '*'])
})

test('bad variables are all named at once', async ({ expect, onTestFinished }) => {
  const started = startTranscribe(onTestFinished, { variables: { STT_SERVERS: 'here', COMPAT: 'whisper' } })
  await expect(started).rejects.toThrow(/STT_SERVERS .*; COMPAT must be aldea or deepgram\./)
})
