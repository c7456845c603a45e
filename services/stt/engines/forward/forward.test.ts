import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { openStream, silence, startServer, tone, wavOf } from '../../testing.ts'

type OnTestFinished = (cleanUp: () => void | Promise<void>) => void

/** A server that answers as those of others do: `origin` without a path. */
async function startOther(
  onTestFinished: OnTestFinished,
  answer: RequestListener,
): Promise<{ origin: string; server: Server }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

function answerWith(
  status: number,
  body: unknown,
  seen: (request: IncomingMessage, body: Buffer) => void = () => {},
): RequestListener {
  return (request, response) => {
    void buffer(request).then((sent) => {
      seen(request, sent)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  }
}

async function transcribe(url: string, query = ''): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${url}/transcribe${query}`, { method: 'POST', body: new Uint8Array(wavOf(tone(1))) })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

/** An origin where nobody listens. */
async function closedOrigin(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

test('forwards a file to the API of Aldea and Deepgram, with its key and model', async ({ onTestFinished }) => {
  const requests: { url: string; authorization: string | undefined; bytes: number }[] = []
  const answer = {
    metadata: { duration: 1, channels: 2 },
    results: {
      channels: [
        {
          alternatives: [
            {
              transcript: 'One two.',
              confidence: 0.8,
              words: [
                { word: 'one', punctuated_word: 'One', start: 0.1, end: 0.3, confidence: 0.9 },
                { word: 'two', punctuated_word: 'two.', start: 0.4, end: 0.6, confidence: 0.7 },
              ],
            },
          ],
        },
      ],
    },
  }
  const { origin } = await startOther(
    onTestFinished,
    answerWith(200, answer, (request, body) => {
      requests.push({ url: request.url ?? '', authorization: request.headers.authorization, bytes: body.length })
    }),
  )
  const { url } = await startServer(onTestFinished, {
    ENGINE: 'forward',
    FORWARD_TO: `${origin}/v1/listen`,
    FORWARD_KEY: 'secret',
    FORWARD_MODEL: 'nova-3',
  })

  expect(await transcribe(url, '?language=es')).toEqual({
    status: 200,
    body: {
      audioSeconds: 1,
      channels: 2,
      text: 'One two.',
      confidence: 0.8,
      words: [
        { word: 'One', startSeconds: 0.1, endSeconds: 0.3, confidence: 0.9 },
        { word: 'two.', startSeconds: 0.4, endSeconds: 0.6, confidence: 0.7 },
      ],
      language: 'es',
      model: { name: 'nova-3', version: 'forward' },
    },
  })
  expect(requests).toEqual([
    { url: '/v1/listen?model=nova-3&language=es', authorization: 'Token secret', bytes: 32_044 },
  ])
})

test.for([
  {
    path: '/v1/audio/transcriptions',
    body: {
      text: ' One two.',
      duration: 1,
      words: [
        { word: 'One', start: 0, end: 0.4 },
        { word: 'two.', start: 0.5, end: 0.9 },
      ],
    },
  },
  {
    path: '/inference',
    body: {
      text: ' One two.\n',
      duration: 1,
      segments: [
        {
          words: [
            { word: ' One', start: 0, end: 0.4, probability: 1 },
            { word: ' two.', start: 0.5, end: 0.9, probability: 1 },
          ],
        },
      ],
    },
  },
])('forwards a file and a stream to $path', async ({ path, body }, { onTestFinished }) => {
  const forms: string[] = []
  const { origin } = await startOther(
    onTestFinished,
    answerWith(200, body, (_request, form) => forms.push(form.toString('latin1'))),
  )
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: `${origin}${path}` })

  const words = [
    { word: 'One', startSeconds: 0, endSeconds: 0.4, confidence: 1 },
    { word: 'two.', startSeconds: 0.5, endSeconds: 0.9, confidence: 1 },
  ]
  expect(await transcribe(url)).toMatchObject({ status: 200, body: { text: 'One two.', words, audioSeconds: 1 } })
  expect(forms[0]).toMatch(/name="response_format"\r\n\r\nverbose_json/)
  expect(forms[0]).toMatch(/filename="audio"[^]*RIFF/)
})

test('cuts a stream at its pauses for a server that takes files only', async ({ onTestFinished }) => {
  const jfk = await import('node:fs/promises').then(({ readFile }) => readFile('fixtures/audio/jfk.wav'))
  const { origin } = await startOther(onTestFinished, answerWith(200, { text: 'some words' }))
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: `${origin}/inference` })
  const stream = await openStream(onTestFinished, url, 'interim_results=false')
  stream.send(jfk)
  stream.say('CloseStream')
  await stream.closed
  const finals = stream.messages.flatMap((message) =>
    message.type === 'Result' && message.isFinal ? [message.text] : [],
  )
  expect(finals.length).toBeGreaterThan(2)
  expect(finals[0]).toBe('some words')
  expect(stream.messages.at(-1)).toEqual({ type: 'Summary', audioSeconds: 11 })
})

test('goes on to the next server where one cannot be reached or is not available', async ({ onTestFinished }) => {
  const away = await closedOrigin()
  const busy = await startOther(onTestFinished, answerWith(503, {}))
  const good = await startOther(onTestFinished, answerWith(200, { text: 'here' }))
  const paths = [away, busy.origin, good.origin].map((origin) => `${origin}/inference`).join(',')
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: paths })
  expect(await transcribe(url)).toMatchObject({ status: 200, body: { text: 'here' } })

  const none = await startServer(onTestFinished, {
    ENGINE: 'forward',
    FORWARD_TO: `${away}/v1/listen,${busy.origin}/v1/listen`,
  })
  expect(await transcribe(none.url)).toMatchObject({
    status: 503,
    body: { error: expect.stringMatching(/None of the servers.*status 503/) },
  })
  const stream = await openStream(onTestFinished, none.url)
  expect(await stream.next('Failure')).toMatchObject({ status: 503, error: expect.stringContaining('opens a stream') })
})

test.for([
  { status: 415, expected: 415, error: /refused: .*bad audio/ },
  { status: 401, expected: 500, error: /answered 401/ },
])('hands on a refusal of $status as $expected', async ({ status, expected, error }, { onTestFinished }) => {
  const { origin } = await startOther(onTestFinished, answerWith(status, { error: 'bad audio' }))
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: `${origin}/v1/listen` })
  expect(await transcribe(url)).toMatchObject({ status: expected, body: { error: expect.stringMatching(error) } })
})

test('says when an answer is none', async ({ onTestFinished }) => {
  const { origin } = await startOther(onTestFinished, answerWith(200, { hello: 'world' }))
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: `${origin}/v1/listen` })
  expect(await transcribe(url)).toMatchObject({
    status: 500,
    body: { error: expect.stringContaining('no transcript') },
  })
})

test('forwards a live stream message by message', async ({ onTestFinished }) => {
  const heard: (string | number)[] = []
  const { origin, server } = await startOther(onTestFinished, answerWith(404, {}))
  const sockets = new WebSocketServer({ server })
  const say = (message: unknown): string => JSON.stringify(message)
  sockets.on('connection', (socket, request) => {
    heard.push(request.url ?? '')
    socket.send(say({ type: 'Metadata', duration: 0 }))
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        heard.push(data.length)
        socket.send(say({ type: 'SpeechStarted', timestamp: 0.2 }))
        socket.send(
          say({
            type: 'Results',
            start: 0,
            duration: 1,
            is_final: false,
            channel: { alternatives: [{ transcript: 'one', confidence: 0.5, words: [['one', 200, 400]] }] },
          }),
        )
        return
      }
      heard.push(data.toString())
      socket.send(
        say({
          type: 'Results',
          start: 0,
          duration: 1,
          is_final: true,
          speech_final: true,
          channel: {
            alternatives: [
              {
                transcript: 'one two',
                confidence: 0.9,
                words: [
                  ['one', 200, 400],
                  ['two', 500, 700],
                ],
              },
            ],
          },
        }),
      )
      socket.send(say({ type: 'UtteranceEnd', last_word_end: 0.7 }))
      if (data.toString().includes('CloseStream')) socket.close(1000)
    })
  })
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: `${origin}/v1/listen` })
  const stream = await openStream(
    onTestFinished,
    url,
    'encoding=linear16&sample_rate=8000&endpointing=200&vad_events=true',
  )
  stream.send(tone(1))
  await stream.next('Result')
  stream.say('CloseStream')

  expect(await stream.closed).toMatchObject({ code: 1000 })
  const [path, ...rest] = heard
  expect(new URL(String(path), origin).searchParams.toString()).toBe(
    'encoding=linear16&sample_rate=8000&channels=1&interim_results=true&endpointing=200&vad_events=true',
  )
  expect(rest).toEqual([32_000, '{"type":"CloseStream"}'])
  expect(stream.messages.slice(1)).toMatchObject([
    { type: 'SpeechStarted', atSeconds: 0.2 },
    { type: 'Result', isFinal: false, text: 'one', words: [{ word: 'one', startSeconds: 0.2, endSeconds: 0.4 }] },
    { type: 'Result', isFinal: true, speechFinal: true, text: 'one two' },
    { type: 'UtteranceEnd', lastWordEndSeconds: 0.7 },
    { type: 'Summary', audioSeconds: 1 },
  ])
})

test('fails a live stream whose server goes away', async ({ onTestFinished }) => {
  const { origin, server } = await startOther(onTestFinished, answerWith(404, {}))
  new WebSocketServer({ server }).on('connection', (socket) => socket.once('message', () => socket.terminate()))
  const { url } = await startServer(onTestFinished, { ENGINE: 'forward', FORWARD_TO: `${origin}/v1/listen` })
  const stream = await openStream(onTestFinished, url)
  stream.send(silence(0.1))
  expect(await stream.next('Failure')).toMatchObject({ status: 503, error: expect.stringContaining('1006') })
})

test.for([
  [{ FORWARD_TO: '' }, /FORWARD_TO is missing/],
  [{ FORWARD_TO: 'ftp://somewhere/v1/listen' }, /no http URL/],
  [{ FORWARD_TO: 'http://127.0.0.1/elsewhere' }, /path must end with/],
] as const)('does not start with %o', async ([variables, error], { onTestFinished }) => {
  await expect(startServer(onTestFinished, { ENGINE: 'forward', ...variables })).rejects.toThrow(error)
})
