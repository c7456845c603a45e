import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { test } from 'vitest'
import { silence, startScripted, tone, wavOf } from '../testing.ts'

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

test('answers a file with its text of the script, words spread over the audio', async ({ expect, onTestFinished }) => {
  const jfk = await readFile('fixtures/audio/jfk.wav')
  const { url } = await startScripted(onTestFinished, { default: 'hello', clips: { [sha256(jfk)]: 'one two' } })

  const response = await fetch(`${url}/transcribe?language=en-US&model=nova`, { method: 'POST', body: jfk })

  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({
    audioSeconds: 11,
    channels: 1,
    text: 'one two',
    confidence: 0.99,
    words: [
      { word: 'one', startSeconds: 0, endSeconds: 5.5, confidence: 0.99 },
      { word: 'two', startSeconds: 5.5, endSeconds: 11, confidence: 0.99 },
    ],
    language: 'en',
    model: { name: 'scripted', version: '1' },
  })
})

test('finds the text by the samples too, and takes the default for other audio', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, { default: 'hello', clips: { [sha256(tone(1))]: 'a tone' } })
  const answers = await Promise.all(
    [wavOf(tone(1)), wavOf(silence(1))].map(async (body) => {
      const answer = await fetch(`${url}/transcribe`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      return answer.json()
    }),
  )
  expect(answers).toMatchObject([{ text: 'a tone' }, { text: 'hello' }])
})

test.for([
  { name: 'no body', body: new Uint8Array(0), status: 400, error: /no audio/ },
  { name: 'a WAV header alone', body: wavOf(new Uint8Array(0)), status: 400, error: /holds no audio/ },
  { name: 'text', body: Buffer.from('this is no audio at all'), status: 415, error: /not recognised/ },
  { name: 'an AMR file', body: Buffer.from('#!AMR\n and so on'), status: 415, error: /AMR audio is not supported/ },
  { name: 'half a FLAC header', body: Buffer.from('fLaC\0\0\0\x22'), status: 415, error: /FLAC audio could not be/ },
  { name: 'more than MAX_AUDIO_SECONDS', body: wavOf(silence(3.5)), status: 413, error: /3\.5 s long; at most 3 s/ },
  { name: 'more than MAX_BODY_BYTES', body: wavOf(silence(10)), status: 413, error: /larger than the 200000 bytes/ },
  {
    name: 'an unknown language',
    body: wavOf(tone(1)),
    query: 'language=fr',
    status: 422,
    error: /"fr" is not installed here; installed: scripted \(en\)\.$/,
  },
  {
    name: 'a malformed language',
    body: wavOf(tone(1)),
    query: 'language=e!',
    status: 422,
    error: /not a language tag/,
  },
])('refuses $name with $status', async ({ body, query = '', status, error }, { expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, undefined, { MAX_AUDIO_SECONDS: '3', MAX_BODY_BYTES: '200000' })
  const response = await fetch(`${url}/transcribe?${query}`, { method: 'POST', body })
  expect(response.status).toBe(status)
  expect(await response.json()).toEqual({ status, error: expect.stringMatching(error) })
})

test('refuses a chunked body while it is still coming', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished, undefined, { MAX_BODY_BYTES: '100000' })
  const request = httpRequest(`${url}/transcribe`, { method: 'POST' })
  onTestFinished(() => {
    request.destroy()
  })
  const answered = new Promise<number | undefined>((resolve, reject) => {
    request.once('response', (response) => resolve(response.statusCode))
    request.once('error', reject)
  })
  request.write(silence(5))
  expect(await answered).toBe(413)
})

test('asks clients to come back while it has too many files, and takes them again', async ({
  expect,
  onTestFinished,
}) => {
  const { url } = await startScripted(onTestFinished)
  const requests = Array.from({ length: 256 }, () => httpRequest(`${url}/transcribe`, { method: 'POST' }))
  onTestFinished(() => {
    for (const request of requests) request.destroy()
  })
  for (const request of requests) {
    // Cut off below.
    request.on('error', () => undefined)
    request.write(silence(0.01))
  }
  const countOf = async (): Promise<unknown> => {
    const stats = await (await fetch(`${url}/stats`)).json()
    return typeof stats === 'object' && stats !== null && 'files' in stats && stats.files
  }
  while ((await countOf()) !== requests.length);

  const refused = await fetch(`${url}/transcribe`, { method: 'POST', body: wavOf(tone(1)) })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await refused.json()).toMatchObject({ status: 503, error: expect.stringMatching(/Too many files/) })

  for (const request of requests) request.destroy()
  while ((await countOf()) !== 0);
  expect((await fetch(`${url}/transcribe`, { method: 'POST', body: wavOf(tone(1)) })).status).toBe(200)
})

test('accepts auto as language, and works on after a refusal', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished)
  await fetch(`${url}/transcribe`, { method: 'POST', body: 'nonsense' })
  const response = await fetch(`${url}/transcribe?language=auto`, { method: 'POST', body: wavOf(tone(1)) })
  expect(await response.json()).toMatchObject({ text: 'hello world', language: 'en' })
})

test('tells its health and what it is doing', async ({ expect, onTestFinished }) => {
  const { url, running } = await startScripted(onTestFinished, undefined, { SERVER_NAME: 'stt-prod' })
  const model = { name: 'scripted', version: '1' }

  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok', server: 'stt-prod', model })
  expect(await (await fetch(`${url}/stats`)).json()).toEqual({
    server: 'stt-prod',
    model,
    streams: 0,
    files: 0,
    audioSeconds: 0,
    rtf: null,
  })

  await running.drain()
  expect((await fetch(`${url}/health`)).status).toBe(503)
  expect((await fetch(`${url}/transcribe`, { method: 'POST', body: wavOf(tone(1)) })).status).toBe(503)
})

test('knows no other paths', async ({ expect, onTestFinished }) => {
  const { url } = await startScripted(onTestFinished)
  const response = await fetch(`${url}/v1/listen`, { method: 'POST' })
  expect([response.status, await response.json()]).toEqual([
    404,
    { status: 404, error: 'There is no POST /v1/listen here.' },
  ])
})
