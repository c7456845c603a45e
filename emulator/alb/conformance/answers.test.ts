import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { connect } from 'node:net'
import { describe, test } from 'vitest'
import {
  accessOf,
  createDeferred,
  createTarget,
  exchangeRaw,
  openSocket,
  register,
  startTestBalancer,
} from '../../tests/test-balancer.ts'
import type { NetworkTarget } from '../model.ts'
import { type OnTestFinished, TARGET_KINDS, createReader, pageOf, startBefore } from './testing.ts'

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const CHROME = GET.replace('Host: a', 'Host: a\r\nUser-Agent: Mozilla/5.0 Chrome/126.0')

function ownAnswer(title: string, length: number): string {
  const head = [`HTTP/1.1 ${title}`, 'Server: awselb/2.0', 'Date: [^\r]*', 'Content-Type: text/html']
  return [...head, `Content-Length: ${length}`, 'Connection: close', '', ''].join('\r\n')
}

test('item 9: no targets are a 503 of 162 bytes, 564 for Chrome, and HEAD gets the head alone', async ({
  expect,
  onTestFinished,
}) => {
  const { port } = await startTestBalancer({ onTestFinished })
  const title = '503 Service Temporarily Unavailable'

  const plain = await exchangeRaw(port, GET, onTestFinished)
  const chrome = await exchangeRaw(port, CHROME, onTestFinished)
  const head = await exchangeRaw(port, GET.replace('GET', 'HEAD'), onTestFinished)

  expect(plain).toMatch(new RegExp(`^${ownAnswer(title, 162)}${pageOf(title)}$`))
  expect(chrome).toMatch(new RegExp(`^${ownAnswer(title, 564)}`))
  expect(chrome.slice(chrome.indexOf('\r\n\r\n') + 4)).toHaveLength(564)
  expect(head).toMatch(new RegExp(`^${ownAnswer(title, 162)}$`))
})

test('item 9: a refused connection is a 502 of 122 bytes at once', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  balancer.targetGroup('web').register(await closedPort())

  expect(await exchangeRaw(port, GET, onTestFinished)).toMatch(
    new RegExp(`^${ownAnswer('502 Bad Gateway', 122)}${pageOf('502 Bad Gateway')}$`),
  )
  expect(await accessOf(events, '/x')).toMatchObject({ failure: 'target-refused', target: 'closed' })
})

/** A target whose port nobody listens on. */
async function closedPort(): Promise<NetworkTarget> {
  const { createServer } = await import('node:net')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return { id: 'closed', zone: 'a', kind: 'network', host: '127.0.0.1', port, gone: new AbortController().signal }
}

// Elsewhere a full queue of connections refuses instead of being silent.
test.runIf(process.platform === 'linux')(
  'item 9: a host that is silently gone is a 504 of 132 bytes after 10 s',
  async ({ expect, onTestFinished }) => {
    const { balancer, port, clock, events } = await startTestBalancer({ onTestFinished })
    const hole = await startBlackHole(onTestFinished)
    const gone = new AbortController().signal
    balancer
      .targetGroup('web')
      .register({ id: 'hole', zone: 'a', kind: 'network', host: '127.0.0.1', port: hole, gone })
    const pending = clock.pending
    const answered = exchangeRaw(port, GET, onTestFinished)
    // The client's idle timer, and the one of the connection to the target.
    await expect.poll(() => clock.pending).toBe(pending + 2)

    await clock.advance(9_999)
    const early = events.of('alb.access').length
    await clock.advance(1)

    expect(early).toBe(0)
    expect(await answered).toMatch(new RegExp(`^${ownAnswer('504 Gateway Time-out', 132)}`))
    expect(await accessOf(events, '/x')).toMatchObject({ status: 504, failure: 'connect-timeout', target: 'hole' })
  },
)

/** The port of a program that listens, but is busy with something else; its queue of connections is full. */
async function startBlackHole(onTestFinished: OnTestFinished): Promise<number> {
  const busy = `
    const { parentPort } = require('node:worker_threads')
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
    })`
  const worker = new Worker(busy, { eval: true })
  onTestFinished(async () => void (await worker.terminate()))
  const [port] = (await once(worker, 'message')) as [number]
  for (let queued = 0; queued < 2; queued += 1) {
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
  }
  return port
}

describe.for(TARGET_KINDS)('item 9, before a target %s', (kind) => {
  test('a silent target is a 504 when the idle timeout is over', async ({ expect, onTestFinished }) => {
    const reached = createDeferred<void>()
    const { port, clock, events } = await startBefore(kind, () => reached.resolve(), { onTestFinished })
    const answered = exchangeRaw(port, GET, onTestFinished)
    await reached.promise

    await clock.advance(59_999)
    const early = events.of('alb.access').length
    await clock.advance(1)

    expect(early).toBe(0)
    expect(await answered).toMatch(new RegExp(`^${ownAnswer('504 Gateway Time-out', 132)}`))
    expect(await accessOf(events, '/x')).toMatchObject({ status: 504, failure: 'target-timeout', target: 'one' })
  })

  test('a target in a lost zone is a black hole', async ({ expect, onTestFinished }) => {
    const { balancer, port, clock, events } = await startTestBalancer({ onTestFinished, zones: ['a', 'b'] })
    await register(balancer, 'web', [{ ...createTarget('far', (_, response) => response.end()), zone: 'b' }])
    balancer.loseZone('b')
    const answered = exchangeRaw(port, GET, onTestFinished)
    await expect.poll(() => clock.pending).toBeGreaterThan(0)
    await new Promise(setImmediate)

    await clock.advance(10_000)

    expect(await answered).toContain('504 Gateway Time-out')
    expect(await accessOf(events, '/x')).toMatchObject({ failure: 'connect-timeout' })
  })
})

test('item 11: TRACE is a 405, other codings than chunked a 501, both to the byte', async ({
  expect,
  onTestFinished,
}) => {
  const { port } = await startTestBalancer({ onTestFinished })
  const socket = await openSocket(port, onTestFinished)
  const reader = createReader(socket)

  socket.write('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(await reader.until('</html>\r\n')).toContain('Content-Length: 122\r\nConnection: keep-alive\r\n')
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n')

  expect(await reader.until('</html>\r\n')).toMatch(
    new RegExp(`^${ownAnswer('501 Not Implemented', 130)}${pageOf('501 Not Implemented')}$`),
  )
})

test('an HTTP/2 preface on a plain connection is a 505', async ({ expect, onTestFinished }) => {
  const { port } = await startTestBalancer({ onTestFinished })

  expect(await exchangeRaw(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', onTestFinished)).toMatch(
    new RegExp(`^${ownAnswer('505 HTTP Version Not Supported', 152)}`),
  )
})
