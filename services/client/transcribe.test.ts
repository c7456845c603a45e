import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test, type TestContext } from 'vitest'
import { transcribeFile } from './transcribe.ts'

const JFK = 'fixtures/audio/jfk.wav'
const stdin = Readable.from([])
const ANSWER = {
  metadata: { request_id: 'r-1', duration: 11 },
  results: { channels: [{ alternatives: [{ transcript: 'Ask not.', confidence: 0.9 }] }] },
}

describe('transcribing a file', () => {
  test('uploads its bytes and prints what was said', async ({ expect, onTestFinished }) => {
    let request: Heard | undefined
    const url = await startApi(onTestFinished, async (incoming, response) => {
      request = await hear(incoming)
      response.end(JSON.stringify(ANSWER))
    })
    const printed = output()

    const result = await transcribeFile({
      url,
      key: 'org_test',
      path: JFK,
      stdin,
      out: printed,
      parameters: { lang: 'en' },
    })

    expect(result).toEqual({ transcript: 'Ask not.', answer: ANSWER })
    expect(printed.text()).toBe('Ask not.\n')
    expect(request?.line).toBe('POST /v1/listen?lang=en')
    expect(request?.headers).toMatchObject({ authorization: 'Bearer org_test', 'content-length': '352078' })
    expect(request?.headers['timestamps']).toBeUndefined()
    expect(request?.body.equals(await readFile(JFK))).toBe(true)
  })

  test('takes one from standard input, of whatever length', async ({ expect, onTestFinished }) => {
    let request: Heard | undefined
    const url = await startApi(onTestFinished, async (incoming, response) => {
      request = await hear(incoming)
      response.end(JSON.stringify(ANSWER))
    })

    await transcribeFile({ url, key: 'k', path: '-', stdin: createReadStream(JFK), out: output() })

    expect(request?.headers['content-length']).toBeUndefined()
    expect(request?.body.equals(await readFile(JFK))).toBe(true)
  })

  test('prints the whole answer as JSON, with the times of words asked for', async ({ expect, onTestFinished }) => {
    const url = await startApi(onTestFinished, async (incoming, response) => {
      const { headers } = await hear(incoming)
      response.end(JSON.stringify({ ...ANSWER, timestamps: headers['timestamps'] }))
    })
    const printed = output()

    await transcribeFile({ url, key: 'org_test', path: JFK, stdin, out: printed, json: true })

    expect(JSON.parse(printed.text())).toEqual({ ...ANSWER, timestamps: 'true' })
  })
})

describe('transcribing fails in one line', () => {
  test('with the words of the API', async ({ expect, onTestFinished }) => {
    const url = await startApi(onTestFinished, (_incoming, response) => {
      response.writeHead(413).end('{"error":"The audio is longer than 600 s.","request_id":"r-2"}')
      response.once('finish', () => response.socket?.destroySoon())
    })

    await expect(transcribeFile({ url, key: 'k', path: JFK, stdin, out: output() })).rejects.toMatchObject({
      message: 'The server answered 413: The audio is longer than 600 s (request r-2).',
      status: 413,
      requestId: 'r-2',
    })
  })

  test('with the title of the page of a balancer', async ({ expect, onTestFinished }) => {
    const url = await startApi(onTestFinished, (_incoming, response) => {
      response.writeHead(502).end('<html><head><title>502 Bad Gateway</title></head><body>…</body></html>')
    })

    await expect(transcribeFile({ url, key: 'k', path: JFK, stdin, out: output() })).rejects.toThrow(
      'The server answered 502: 502 Bad Gateway.',
    )
  })

  test('when the connection is cut', async ({ expect, onTestFinished }) => {
    const url = await startApi(onTestFinished, (incoming) => incoming.socket.destroy())

    await expect(transcribeFile({ url, key: 'k', path: JFK, stdin, out: output() })).rejects.toThrow(
      `No answer from ${url}: the connection was cut.`,
    )
  })

  test('when an answer is not one', async ({ expect, onTestFinished }) => {
    const url = await startApi(onTestFinished, (_incoming, response) => response.end('hello'))

    await expect(transcribeFile({ url, key: 'k', path: JFK, stdin, out: output() })).rejects.toThrow(
      'The answer has no transcript: hello',
    )
  })

  test.for([
    ['missing.wav', 'There is no file missing.wav.'],
    ['fixtures/audio', 'fixtures/audio is not a file.'],
  ] as const)('when the audio is %s', async ([path, message], { expect }) => {
    await expect(transcribeFile({ url: 'http://127.0.0.1:9', key: 'k', path, stdin, out: output() })).rejects.toThrow(
      message,
    )
  })
})

interface Heard {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function hear(incoming: IncomingMessage): Promise<Heard> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  return { line: `${incoming.method} ${incoming.url}`, headers: incoming.headers, body: Buffer.concat(pieces) }
}

async function startApi(
  onTestFinished: TestContext['onTestFinished'],
  answer: (incoming: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server = createServer((incoming, response) => void answer(incoming, response))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function output(): { write(text: string): void; text(): string } {
  let text = ''
  return { write: (piece) => void (text += piece), text: () => text }
}
