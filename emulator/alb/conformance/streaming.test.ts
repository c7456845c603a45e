import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, test } from 'vitest'
import { createDeferred, exchangeRaw, openSocket } from '../../tests/test-balancer.ts'
import { TARGET_KINDS, createReader, readAll, startBefore, startBeforeRaw } from './testing.ts'

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
/** More than all buffers between two programs take. */
const MUCH_BYTES = 64 * 1024 * 1024

describe.for(TARGET_KINDS)('bodies and framing, before a target %s', (kind) => {
  test('an answer is sent no faster than its client reads', async ({ expect, onTestFinished }) => {
    const begun = createDeferred<ServerResponse>()
    const { port } = await startBefore(kind, (_, response) => begun.resolve(response), { onTestFinished })
    const socket = await openSocket(port, onTestFinished)
    socket.pause()
    socket.write(GET)
    const response = await begun.promise
    const part = Buffer.alloc(1024 * 1024)
    let written = 0
    while (written < MUCH_BYTES && response.write(part)) written += part.length
    const heldAt = await fillUntilFull(response, part, written)

    socket.resume()
    let received = 0
    socket.on('data', (chunk: Buffer) => (received += chunk.length))
    response.end()
    await once(socket, 'close')

    expect(heldAt).toBeLessThan(MUCH_BYTES)
    expect(received).toBeGreaterThan(heldAt)
  })

  test('a body is taken no faster than the target reads it', async ({ expect, onTestFinished }) => {
    const begun = createDeferred<{ request: IncomingMessage; response: ServerResponse }>()
    const { port } = await startBefore(kind, (request, response) => begun.resolve({ request, response }), {
      onTestFinished,
    })
    const socket = await openSocket(port, onTestFinished)
    socket.write(`POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${MUCH_BYTES}\r\n\r\n`)
    const { request, response } = await begun.promise
    const part = Buffer.alloc(1024 * 1024)
    const heldAt = await fillUntilFull(socket, part, 0)

    const answered = readAll(socket)
    for (let sent = heldAt; sent < MUCH_BYTES; sent += part.length) socket.write(part)
    let taken = 0
    for await (const chunk of request) taken += (chunk as Buffer).length
    response.end(String(taken))

    expect(heldAt).toBeLessThan(MUCH_BYTES)
    expect(await answered).toMatch(new RegExp(`${MUCH_BYTES}`))
  })

  test.for([
    ['HEAD', 'HEAD', (response: ServerResponse): void => void response.writeHead(200, { 'Content-Length': 7 }).end()],
    ['204', 'GET', (response: ServerResponse): void => void response.writeHead(204).end()],
    ['304', 'GET', (response: ServerResponse): void => void response.writeHead(304, { ETag: '"1"' }).end()],
  ] as const)(
    '%s has a head alone and the connection goes on',
    async ([, method, answer], { expect, onTestFinished }) => {
      const { port } = await startBefore(kind, (_, response) => answer(response), { onTestFinished })

      const received = await exchangeRaw(
        port,
        `${GET.replace('GET', method).replace('close', 'keep-alive')}${GET.replace('GET', method)}`,
        onTestFinished,
      )

      expect(received).toMatch(/^HTTP\/1\.1 \d+ [^]*?\r\n\r\nHTTP\/1\.1 \d+ [^]*?\r\n\r\n$/)
    },
  )

  test('trailers pass both ways', async ({ expect, onTestFinished }) => {
    const { port } = await startBefore(
      kind,
      (request, response) => {
        request.resume().on('end', () => {
          response.writeHead(200, { Trailer: 'X-Sum' })
          response.write('body')
          response.addTrailers({ 'X-Sum': String(request.trailers['x-check']) })
          response.end()
        })
      },
      { onTestFinished },
    )
    const post = GET.replace('GET', 'POST').replace(
      '\r\n\r\n',
      '\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n',
    )

    const received = await exchangeRaw(port, `${post}2\r\nok\r\n0\r\nX-Check: 42\r\n\r\n`, onTestFinished)

    expect(received).toMatch(/\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n$/)
  })

  test('a client of HTTP/1.0 gets no chunks, and its connection ends with the answer', async ({
    expect,
    onTestFinished,
  }) => {
    const { port } = await startBefore(
      kind,
      (request, response) => {
        response.write(`for ${request.headers.host?.split(':')[0]} `)
        response.end('whole')
      },
      { onTestFinished },
    )

    const received = await exchangeRaw(port, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', onTestFinished)

    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nfor a whole$/)
    expect(received.toLowerCase()).not.toContain('transfer-encoding')
  })

  test('what a target sends early reaches the client early', async ({ expect, onTestFinished }) => {
    const begun = createDeferred<ServerResponse>()
    const { port } = await startBefore(
      kind,
      (_, response) => {
        response.writeEarlyHints({ link: '</a.css>; rel=preload' })
        begun.resolve(response)
      },
      { onTestFinished },
    )
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)
    socket.write(GET)

    const hints = await reader.until('\r\n\r\n')
    const response = await begun.promise
    response.write('first')
    const first = await reader.until('first')
    response.end('last')

    expect(hints).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\n$/i)
    expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(await reader.until('last')).toContain('last')
  })

  test('a target may answer before it has read the body', async ({ expect, onTestFinished }) => {
    const { port } = await startBefore(kind, (_, response) => response.writeHead(413).end('too much'), {
      onTestFinished,
    })
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)

    socket.write('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\npart')

    expect(await reader.until('too much')).toMatch(/^HTTP\/1\.1 413 /)
  })
})

test('an answer that ends with the target’s connection is framed for the client', async ({
  expect,
  onTestFinished,
}) => {
  const { started } = await startBeforeRaw(
    (socket) => void socket.end('HTTP/1.0 200 Fine\r\nX: 1\r\n\r\nuntil the end'),
    {
      onTestFinished,
    },
  )

  const received = await exchangeRaw(started.port, GET, onTestFinished)

  expect(received).toMatch(
    /^HTTP\/1\.1 200 Fine\r\nX: 1\r\n[^]*Transfer-Encoding: chunked\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n$/,
  )
})

/** Writes until nothing goes any more; returns how much went. */
async function fillUntilFull(to: NodeJS.WritableStream, part: Buffer, before: number): Promise<number> {
  let written = before
  for (;;) {
    if (written >= MUCH_BYTES) return written
    const taken = to.write(part)
    written += part.length
    if (taken) continue
    const drained = once(to, 'drain').then(() => true)
    const turns = new Promise<boolean>((resolve) => {
      let left = 200
      const turn = (): void => {
        left -= 1
        if (left === 0) resolve(false)
        else setImmediate(turn)
      }
      turn()
    })
    if (!(await Promise.race([drained, turns]))) return written
  }
}
