import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'vitest'
import { WebSocketServer } from 'ws'
import { openStream, startServer, tone, wavOf } from '../../testing.ts'

// What a client asks for arrives at the server behind this one, in that server's words.

interface Other {
  readonly origin: string
  /** The query strings and the forms that came. */
  readonly asked: string[]
}

const ANSWER = {
  text: 'hola',
  metadata: { duration: 1, channels: 1 },
  results: {
    channels: [
      { alternatives: [{ transcript: 'hola', words: [] }], detected_language: 'es', language_confidence: 0.75 },
    ],
  },
}

async function startOther(onTestFinished: TestContext['onTestFinished']): Promise<Other> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const isForm = request.headers['content-type']?.startsWith('multipart') ?? false
      asked.push(isForm ? body.toString('latin1') : queryOf(request.url))
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(ANSWER))
    })
  })
  new WebSocketServer({ server }).on('connection', (socket, request) => {
    asked.push(queryOf(request.url))
    socket.on('message', () => socket.close(1000))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

function queryOf(url = ''): string {
  return decodeURIComponent(new URL(url, 'http://other').search.slice(1))
}

const WISHES = new URLSearchParams({
  language: 'es-419',
  keyterm: 'Norland\nJohn Dashwood',
  punctuate: 'false',
  smart_format: 'true',
}).toString()

test.for([
  {
    model: '',
    query: WISHES,
    expected: 'language=es-419&punctuate=false&smart_format=true&keywords=Norland&keywords=John+Dashwood',
  },
  {
    model: 'nova-3-general',
    query: 'keyterm=Norland&numerals=true',
    expected: 'model=nova-3-general&numerals=true&keyterm=Norland',
  },
  { model: '', query: 'language=auto', expected: 'detect_language=true' },
  { model: '', query: '', expected: '' },
])('a file asked for with $query', async ({ model, query, expected }, { expect, onTestFinished }) => {
  const { origin, asked } = await startOther(onTestFinished)
  const variables = { ENGINE: 'forward', FORWARD_TO: `${origin}/v1/listen`, FORWARD_MODEL: model }
  const { url } = await startServer(onTestFinished, variables)

  const answer = await fetch(`${url}/transcribe?${query}`, { method: 'POST', body: wavOf(tone(1)) })

  expect(await answer.json()).toMatchObject({ text: 'hola', language: 'es', languageConfidence: 0.75 })
  expect(asked).toEqual([expected])
})

test.for([
  {
    model: '',
    query: WISHES,
    expected: /&language=es-419&punctuate=false&smart_format=true&.*&keywords=John\+Dashwood$/,
  },
  { model: '', query: 'language=auto', expected: /&language=auto&/ },
  { model: 'nova-3', query: 'language=auto&keyterm=Norland', expected: /&language=multi&.*&keyterm=Norland$/ },
])('a stream asked for with $query', async ({ model, query, expected }, { expect, onTestFinished }) => {
  const { origin, asked } = await startOther(onTestFinished)
  const variables = { ENGINE: 'forward', FORWARD_TO: `${origin}/v1/listen`, FORWARD_MODEL: model }
  const { url } = await startServer(onTestFinished, variables)

  const stream = await openStream(onTestFinished, url, `encoding=linear16&${query}`)
  stream.say('CloseStream')
  await stream.closed

  expect(asked).toEqual([expect.stringMatching(expected)])
})

test.for([
  { path: '/v1/audio/transcriptions', query: 'language=es-419', expected: 'es' },
  { path: '/v1/audio/transcriptions', query: 'language=auto', expected: undefined },
  { path: '/inference', query: 'language=auto', expected: 'auto' },
])('a form for $path asked for with $query', async ({ path, query, expected }, { expect, onTestFinished }) => {
  const { origin, asked } = await startOther(onTestFinished)
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: origin + path })

  const terms = 'keyterm=Norland%0ADashwood'
  await fetch(`${url}/transcribe?${query}&${terms}`, { method: 'POST', body: wavOf(tone(1)) })

  const fields = new Map(
    [...(asked[0] ?? '').matchAll(/name="(\w+)"\r\n\r\n(.*)\r\n/g)].map(([, name, value]) => [name, value]),
  )
  expect(fields.get('language')).toBe(expected)
  expect(fields.get('prompt')).toBe('Norland, Dashwood')
})
