import { once } from 'node:events'
import { createServer } from 'node:net'
import { array, assert, asyncProperty, constantFrom, record } from 'fast-check'
import { test } from 'vitest'
import { openSocket, startNetworkTarget, startTestBalancer } from '../../tests/test-balancer.ts'

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

const requestLine = constantFrom(
  'POST /x HTTP/1.1',
  'GET /x HTTP/1.1',
  'PUT /x y HTTP/1.1',
  'POST http://a/x HTTP/1.1',
  'POST /x HTTP/1.0',
  'X-ODD /x HTTP/1.1',
  'GET /x HTTP/1.1\r\n\r\nGET /y HTTP/1.1',
)

const headerLine = constantFrom(
  'Content-Length: 0',
  'Content-Length: 5',
  `Content-Length: ${SMUGGLED.length}`,
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'content-length:5',
  'Content-Length : 5',
  ' Content-Length: 5',
  'Content_Length: 5',
  'Transfer-Encoding: chunked',
  'transfer-encoding: CHUNKED',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
  'Transfer_Encoding: chunked',
  'X: 1\r\n folded: 2',
  'X: 1\rTransfer-Encoding: chunked',
  'X: 1\nTransfer-Encoding: chunked',
  'Connection: Content-Length',
  'Connection: close, Transfer-Encoding',
  'Connection: keep-alive',
  'Upgrade: h2c',
  'Expect: 100-continue',
  ': empty',
  'no colon',
)

const body = constantFrom(
  '',
  'hello',
  SMUGGLED,
  `0\r\n\r\n${SMUGGLED}`,
  `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`,
  `5;ext="a\r\n"\r\nhello\r\n0\r\n\r\n${SMUGGLED}`,
  `5 ;a=b\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n${SMUGGLED}`,
  `0005\r\nhello\r\n0\r\n\r\n`,
  `5\nhello\n0\n\n${SMUGGLED}`,
  `-5\r\nhello\r\n0\r\n\r\n`,
  `fffffffffffffffff5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`,
  `5\r\nhelloX\r\n0\r\n\r\n${SMUGGLED}`,
)

const lineEnd = constantFrom('\r\n', '\r\n', '\r\n', '\n')

const attack = record({ requestLine, headers: array(headerLine, { maxLength: 4 }), body, lineEnd }).map(
  (each) => [each.requestLine, 'Host: a', ...each.headers, '', ''].join(each.lineEnd) + each.body,
)

/** How a program may take what it is sent; the first is the one that RFC 9112 wants. */
const READERS = {
  strict: { lineEnd: /\r\n/, isLoose: false, prefersLength: false },
  lengthFirst: { lineEnd: /\r\n/, isLoose: false, prefersLength: true },
  loose: { lineEnd: /\r?\n/, isLoose: true, prefersLength: false },
} as const
type Reader = (typeof READERS)[keyof typeof READERS]

interface ReadRequest {
  readonly line: string
  readonly body: string
}

/** The whole requests in what a target got over one connection, in the eyes of one reader. `begin` gets every head. */
function readAll(bytes: string, reader: Reader, begin?: (line: string) => void): ReadRequest[] {
  const requests: ReadRequest[] = []
  let rest = bytes
  for (;;) {
    const end = reader.isLoose ? /\r?\n\r?\n/.exec(rest) : /\r\n\r\n/.exec(rest)
    if (!end) return requests
    const [line = '', ...lines] = rest.slice(0, end.index).split(reader.lineEnd)
    begin?.(line)
    const fields = new Map(lines.map((each) => toField(each, reader)))
    const after = rest.slice(end.index + end[0].length)
    const coding = fields.get('transfer-encoding')
    const length = fields.get('content-length')
    const isChunked =
      coding !== undefined && coding.includes('chunked') && !(reader.prefersLength && length !== undefined)
    const taken = isChunked ? takeChunks(after) : takeLength(after, Number(length ?? 0))
    if (!taken) return requests
    requests.push({ line, body: taken.body })
    rest = taken.rest
  }
}

function toField(line: string, { isLoose }: Reader): [name: string, value: string] {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon).toLowerCase()
  return [
    isLoose ? name.trim().replaceAll('_', '-') : name,
    line
      .slice(colon + 1)
      .trim()
      .toLowerCase(),
  ]
}

function takeLength(text: string, length: number): { body: string; rest: string } | undefined {
  return text.length < length ? undefined : { body: text.slice(0, length), rest: text.slice(length) }
}

function takeChunks(text: string): { body: string; rest: string } | undefined {
  let taken = ''
  let rest = text
  for (;;) {
    const [line, digits = ''] = /^([0-9a-f]+)[^\r\n]*\r\n/i.exec(rest) ?? []
    if (line === undefined) return undefined
    const size = Number.parseInt(digits, 16)
    rest = rest.slice(line.length)
    if (size === 0) {
      const end = rest.startsWith('\r\n') ? 0 : rest.indexOf('\r\n\r\n') + 2
      return end === 1 ? undefined : { body: taken, rest: rest.slice(end + 2) }
    }
    if (rest.length < size + 2) return undefined
    taken += rest.slice(0, size)
    rest = rest.slice(size + 2)
  }
}

test.for(['defensive', 'strictest', 'monitor'] as const)(
  'in mode %s no request makes a target see another one than the balancer has',
  async (desyncMitigationMode, { expect, onTestFinished }) => {
    const attributes = { desyncMitigationMode }
    const { balancer, port, events } = await startTestBalancer({ onTestFinished, attributes })
    const streams: string[] = []
    const server = createServer((socket) => {
      const index = streams.push('') - 1
      let answered = 0
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        const stream = (streams[index] ?? '') + chunk.toString('latin1')
        streams[index] = stream
        for (const count = readAll(stream, READERS.strict).length; answered < count; answered += 1) {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        }
      })
    })
    balancer.targetGroup('web').register(await startNetworkTarget('one', server, onTestFinished))

    await assert(
      asyncProperty(array(attack, { minLength: 1, maxLength: 3 }), async (attacks) => {
        const socket = await openSocket(port, onTestFinished)
        socket.on('error', () => undefined).resume()
        const closed = once(socket, 'close')
        for (const each of attacks) {
          if (socket.writable) socket.write(each, 'latin1')
          for (let turns = 0; turns < 6; turns += 1) await new Promise(setImmediate)
        }
        socket.destroy()
        await closed
      }),
      { numRuns: 150 },
    )

    const logged = events.of('alb.access').map(({ access }) => `${access.method} ${access.url} HTTP/1.1`)
    for (const stream of streams) {
      const begun: string[] = []
      const wanted = readAll(stream, READERS.strict, (line) => begun.push(line))
      for (const { line } of wanted) expect([...logged, 'GET /health HTTP/1.1']).toContain(line)
      expect(readAll(stream, READERS.lengthFirst)).toEqual(wanted)
      // What looks like a length to a careless reader may pass, but nothing comes behind it.
      const seen = readAll(stream, READERS.loose).map(({ line }) => line)
      if (desyncMitigationMode !== 'monitor') expect(begun.slice(0, seen.length)).toEqual(seen)
    }
    expect(streams.flatMap((stream) => readAll(stream, READERS.strict)).length).toBeGreaterThan(10)
  },
)
