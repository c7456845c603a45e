import { once } from 'node:events'
import { Agent, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'vitest'
import { systemIds } from '../../services/wire/ids.ts'
import { createVirtualClock } from '../core/clock.ts'
import { createEventStream } from '../core/events.ts'
import {
  accessOf,
  createDeferred,
  createTarget,
  exchangeRaw,
  forwardTo,
  get,
  healthCheck,
  openSocket,
  readUntil,
  register,
  START_MS,
  startTestBalancer,
} from '../tests/test-balancer.ts'
import { startLoadBalancer } from './load-balancer.ts'

test('pipelined requests are answered in their order', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const waiting: (() => void)[] = []
  const target = createTarget('one', (incoming, response) => {
    const answer = (): void => void response.end(incoming.url)
    if (incoming.url === '/slow') waiting.push(answer)
    else {
      answer()
      for (const each of waiting) each()
    }
  })
  await register(balancer, 'web', [target])

  const received = await exchangeRaw(
    port,
    'GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    onTestFinished,
  )

  expect(received.indexOf('/slow')).toBeGreaterThan(0)
  expect(received.indexOf('/fast')).toBeGreaterThan(received.indexOf('/slow'))
})

test('requests read while the connection has too much to answer wait for their turn', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const answer = 'x'.repeat(100_000)
  const served: string[] = []
  const target = createTarget('one', (incoming, response) => {
    served.push(incoming.url ?? '')
    response.end(answer)
  })
  await register(balancer, 'web', [target])
  const plain = 'GET /plain HTTP/1.1\r\nHost: a\r\n\r\n'
  const absolute = 'GET http://a/absolute HTTP/1.1\r\nHost: a\r\n\r\n'
  const withBody = 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi'
  const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

  const received = await exchangeRaw(
    port,
    plain.repeat(5) + absolute + plain + withBody + absolute + last,
    onTestFinished,
  )

  expect(served).toEqual([...Array(5).fill('/plain'), '/absolute', '/plain', '/body', '/absolute', '/last'])
  expect(received.split(answer)).toHaveLength(served.length + 1)
})

test.for([
  ['before the answer', '', 460],
  ['in the middle of its body', 'Content-Length: 10\r\n', 400],
] as const)(
  'a client that leaves %s is seen by the target, and logged',
  async ([, header, status], { expect, onTestFinished }) => {
    const { balancer, port, events } = await startTestBalancer({ onTestFinished })
    const begun = createDeferred<ServerResponse>()
    await register(balancer, 'web', [createTarget('one', (_, response) => begun.resolve(response))])
    const socket = await openSocket(port, onTestFinished)
    socket.write(`POST /left HTTP/1.1\r\nHost: a\r\n${header}\r\n`)
    const response = await begun.promise
    const left = Promise.all([new Promise((resolve) => response.req.once('close', resolve)), once(response, 'close')])

    socket.destroy()
    await left

    expect(await accessOf(events, '/left')).toMatchObject({ status, target: 'one' })
  },
)

test('stop lets answers end, cuts what does not, frees the port and may be called twice', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const begun = createDeferred<() => void>()
  const target = createTarget('one', (incoming, response) => {
    if (incoming.url === '/soon') begun.resolve(() => void response.end('done'))
  })
  await register(balancer, 'web', [target])
  const idle = await openSocket(port, onTestFinished)
  const hanging = await openSocket(port, onTestFinished)
  hanging.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n')
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const soon = get(port, '/soon', { agent })
  const finish = await begun.promise

  const closed = Promise.all([once(idle, 'close'), once(hanging, 'close')])
  const stopped = Promise.all([balancer.stop(), balancer.stop()])
  finish()

  expect((await soon).body).toBe('done')
  await stopped
  await closed
  const late = connect(port, '127.0.0.1')
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

test('drain ends when the last answer has', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const begun = createDeferred<() => void>()
  const target = createTarget('one', (_, response) => begun.resolve(() => void response.end('done')))
  await register(balancer, 'web', [target])
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const answered = get(port, '/', { agent })
  const finish = await begun.promise

  let isDrained = false
  const drained = balancer.drain().then(() => (isDrained = true))
  const wasDrained = isDrained
  finish()

  expect((await answered).body).toBe('done')
  await drained
  expect(wasDrained).toBe(false)
})

test('a taken port is the system’s own error, and no other listener is left behind', async ({
  expect,
  onTestFinished,
}) => {
  const holder = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void holder.close())
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const listener = { host: '127.0.0.1', rules: [], defaultAction: forwardTo('web') }
  const clock = createVirtualClock(START_MS)
  const freePort = await findFreePort()

  const started = startLoadBalancer(
    {
      name: 'test',
      zones: ['a'],
      listeners: [
        { ...listener, port: freePort },
        { ...listener, port },
      ],
      targetGroups: [{ name: 'web', healthCheck }],
    },
    { clock, ids: systemIds, events: createEventStream() },
  )

  await expect(started).rejects.toMatchObject({ code: 'EADDRINUSE', port })
  const again = createServer().listen(freePort, '127.0.0.1')
  onTestFinished(() => void again.close())
  await once(again, 'listening')
})

// Elsewhere the loopback interface has no second address.
test.runIf(process.platform === 'linux')('only the given address is bound', async ({ expect, onTestFinished }) => {
  const { port } = await startTestBalancer({ onTestFinished })

  const elsewhere = connect(port, '127.0.0.2')

  const [error] = (await once(elsewhere, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

test('an offer of HTTP/2 is ignored and the request with its body answered', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const target = createTarget('one', (incoming, response) => {
    void text(incoming).then((body) => response.end(`${JSON.stringify(incoming.headers['upgrade'])} ${body}`))
  })
  await register(balancer, 'web', [target])
  const socket = await openSocket(port, onTestFinished)
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'

  socket.write(`POST /h2c HTTP/1.1\r\nHost: a\r\n${offer}Content-Length: 10\r\n\r\n12345`)
  await new Promise(setImmediate)
  socket.write('67890')

  expect(await readUntil(socket, '67890')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*undefined 1234567890$/)
  socket.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(await readUntil(socket, 'undefined ')).toContain('200 OK')
  expect(await accessOf(events, '/next')).toMatchObject({ kind: 'http', status: 200 })
})

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
