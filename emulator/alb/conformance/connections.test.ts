import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, test } from 'vitest'
import { accessOf, createDeferred, exchangeRaw, openSocket } from '../../tests/test-balancer.ts'
import { TARGET_KINDS, createReader, startBefore, startBeforeRaw } from './testing.ts'

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

test('item 10: a target that closes its kept connection as a request goes out is a 502, never tried again', async ({
  expect,
  onTestFinished,
}) => {
  let requests = 0
  const { started, target } = await startBeforeRaw(
    (socket) => {
      requests += 1
      if (requests === 1) socket.write(OK)
      // It had decided to close before it read this.
      else socket.destroy()
    },
    { onTestFinished },
  )
  const socket = await openSocket(started.port, onTestFinished)
  const reader = createReader(socket)

  socket.write(GET)
  await reader.until('\r\n\r\nok')
  const before = target.connections.length
  socket.write(GET.replace('/x', '/raced'))
  const answer = await reader.until('</html>\r\n')

  expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
  expect(answer).toContain('Connection: keep-alive\r\n')
  expect({ requests, opened: target.connections.length - before }).toEqual({ requests: 2, opened: 0 })
  expect(await accessOf(started.events, '/raced')).toMatchObject({
    status: 502,
    targetStatus: undefined,
    failure: 'target-closed',
  })
})

test('item 10: connections to targets are kept for 60 s, shared by clients, and not used once the target has closed them', async ({
  expect,
  onTestFinished,
}) => {
  const { started, target } = await startBeforeRaw((socket) => void socket.write(OK), { onTestFinished })
  const ask = (): Promise<string> =>
    exchangeRaw(started.port, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), onTestFinished)
  // The health check's.
  const before = target.connections.length

  await ask()
  await ask()
  const shared = target.connections.length - before
  await started.clock.advance(59_999)
  const afterAlmostAMinute = target.connections.filter(({ destroyed }) => !destroyed).length
  await started.clock.advance(1)
  const kept = target.connections[before]
  if (kept && !kept.closed) await once(kept, 'close')
  await ask()
  const last = target.connections.at(-1)
  last?.end()
  if (last) await once(last, 'close')
  const answer = await ask()

  expect(shared).toBe(1)
  expect(afterAlmostAMinute).toBeGreaterThan(0)
  expect(target.connections.length).toBeGreaterThan(before + 2)
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test.for([
  ['closes before its answer', (): string => '', 'target-closed'],
  ['answers with no HTTP', (): string => 'hello\r\n\r\n', 'malformed-response'],
  [
    'has two lengths',
    (): string => 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok',
    'malformed-response',
  ],
  [
    'has a header over 32 KB',
    (): string => `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(33_000)}\r\n\r\n`,
    'response-too-large',
  ],
] as const)('item 12 and §1.13: a target that %s is a 502', async ([, answer, failure], { expect, onTestFinished }) => {
  const { started } = await startBeforeRaw((socket) => void socket.end(answer(), 'latin1'), { onTestFinished })

  const received = await exchangeRaw(
    started.port,
    GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    onTestFinished,
  )

  expect(received).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n[^]*Content-Length: 122\r\n/)
  expect(await accessOf(started.events, '/x')).toMatchObject({ status: 502, failure })
})

test('a connection on which a target says more than it was asked is not used again', async ({
  expect,
  onTestFinished,
}) => {
  const { started, target } = await startBeforeRaw((socket) => void socket.write(`${OK}HTTP/1.1 200 OK\r\n`), {
    onTestFinished,
  })
  const before = target.connections.length
  const socket = await openSocket(started.port, onTestFinished)
  const reader = createReader(socket)

  socket.write(GET)
  await reader.until('\r\n\r\nok')
  socket.write(GET)
  const second = await reader.until('\r\n\r\nok')

  expect(second).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(target.connections.length - before).toBe(2)
})

describe.for(TARGET_KINDS)('item 11, before a target %s', (kind) => {
  test('a client that leaves is a 460 in the log, and the target sees it leave', async ({ expect, onTestFinished }) => {
    const begun = createDeferred<ServerResponse>()
    const { port, events } = await startBefore(kind, (_, response) => begun.resolve(response), { onTestFinished })
    const socket = await openSocket(port, onTestFinished)
    socket.write(GET)
    const left = once(await begun.promise, 'close')

    socket.destroy()
    await left

    expect(await accessOf(events, '/x')).toMatchObject({ status: 460, target: 'one' })
  })

  test.for([
    ['a head', 'GET /x HTTP/1.1\r\nHos', '-'],
    ['a body', 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf', '/x'],
  ] as const)(
    '%s that stops halfway is a 408, and the connection ends',
    async ([, sent, path], { expect, onTestFinished }) => {
      const begun = createDeferred<IncomingMessage>()
      const { port, clock, events } = await startBefore(kind, (request) => begun.resolve(request.resume()), {
        onTestFinished,
      })
      const answered = exchangeRaw(port, sent, onTestFinished)
      if (path === '/x') await begun.promise
      else await expect.poll(() => clock.pending).toBeGreaterThan(1)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })

      await clock.advance(60_000)

      expect(await answered).toMatch(
        /^HTTP\/1\.1 408 Request Time-out\r\n[^]*Content-Length: 132\r\nConnection: close\r\n/,
      )
      expect(await accessOf(events, path)).toMatchObject({ status: 408 })
    },
  )

  test('between requests a connection ends silently after 60 s', async ({ expect, onTestFinished }) => {
    const { port, clock } = await startBefore(kind, (_, response) => response.end('ok'), { onTestFinished })
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)
    socket.write(GET)
    await reader.until('\r\n\r\n')
    const rest: Buffer[] = []
    socket.on('data', (chunk: Buffer) => rest.push(chunk))
    const ended = once(socket, 'end')

    await clock.advance(60_000)
    await ended

    expect(Buffer.concat(rest).toString('latin1')).not.toContain('HTTP/1.1')
  })

  test('an answer that stalls halfway is cut, not finished', async ({ expect, onTestFinished }) => {
    const { port, clock, events } = await startBefore(
      kind,
      (_, response) => {
        response.writeHead(200, { 'Content-Length': 100 })
        response.write('half')
      },
      { onTestFinished },
    )
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)
    socket.write(GET)
    await reader.until('half')
    const closed = once(socket, 'close')

    await clock.advance(60_000)
    await closed

    expect(await accessOf(events, '/x')).toMatchObject({ status: 200, failure: 'idle-timeout' })
  })

  test('a byte in time keeps an answer going', async ({ expect, onTestFinished }) => {
    const begun = createDeferred<ServerResponse>()
    const { port, clock } = await startBefore(kind, (_, response) => begun.resolve(response), { onTestFinished })
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)
    socket.write(GET)
    const response = await begun.promise

    for (const part of ['one', 'two', 'three']) {
      await clock.advance(59_000)
      response.write(part)
      await reader.until(part)
    }
    response.end('end')

    expect(await reader.until('end')).toContain('end')
  })

  test('the request after the keep-alive duration is the connection’s last', async ({ expect, onTestFinished }) => {
    const attributes = { clientKeepAliveSeconds: 90 }
    const { port, clock } = await startBefore(kind, (_, response) => response.end('ok'), { onTestFinished, attributes })
    const socket = await openSocket(port, onTestFinished)
    const reader = createReader(socket)
    const connections: string[] = []

    for (const waitMs of [0, 50_000, 50_000]) {
      await clock.advance(waitMs)
      socket.write(GET)
      connections.push(/Connection: (.*)\r\n/.exec(await reader.until('\r\n\r\n'))?.[1] ?? '')
      await reader.until('ok')
    }

    expect(connections).toEqual(['keep-alive', 'keep-alive', 'close'])
  })
})
