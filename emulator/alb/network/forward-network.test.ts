import { once } from 'node:events'
import { Agent, createServer } from 'node:http'
import { createServer as createNetServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { accessOf, exchangeRaw, get, startNetworkTarget, startTestBalancer } from '../../tests/test-balancer.ts'

test('requests of several clients go over one kept connection, bodies both ways', async ({
  expect,
  onTestFinished,
}) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const server = createServer((request, response) => {
    void text(request).then((body) => response.end(`${request.method} ${request.url} ${body.length}`))
  })
  const target = await startNetworkTarget('one', server, onTestFinished)
  balancer.targetGroup('web').register(target)

  const url = `http://127.0.0.1:${port}/path?q=1`
  const whole = await (await fetch(url, { method: 'POST', body: 'x'.repeat(300_000) })).text()
  const blob = new Blob(['y'.repeat(300_000)])
  const chunked = await (await fetch(url, { method: 'PUT', body: blob.stream(), duplex: 'half' })).text()
  const third = await get(port, '/third', { agent: new Agent() })

  expect([whole, chunked, third.body]).toEqual(['POST /path?q=1 300000', 'PUT /path?q=1 300000', 'GET /third 0'])
  expect(await accessOf(events, '/third')).toMatchObject({ status: 200, target: 'one' })
})

test('a closed port is a 502 and a broken answer breaks the client’s', async ({ expect, onTestFinished }) => {
  const { balancer, port } = await startTestBalancer({ onTestFinished })
  const server = createNetServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'))
  })
  const target = await startNetworkTarget('one', server, onTestFinished)
  balancer.targetGroup('web').register(target)

  const half = await exchangeRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', onTestFinished)
  server.close()

  expect(half).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*half$/)
  await expect.poll(async () => (await get(port, '/closed')).status).toBe(502)
})

test('a WebSocket is relayed both ways and closes with its code', async ({ expect, onTestFinished }) => {
  const { balancer, port, events } = await startTestBalancer({ onTestFinished })
  const server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  balancer.targetGroup('web').register(await startNetworkTarget('one', server, onTestFinished))

  const client = new WebSocket(`ws://127.0.0.1:${port}/echo`)
  await once(client, 'open')
  client.send(Buffer.alloc(100_000, 1))
  const [echoed] = (await once(client, 'message')) as [Buffer]
  client.close(1000)
  const [code] = (await once(client, 'close')) as [number]

  expect([echoed.length, code]).toEqual([100_000, 1000])
  expect(await accessOf(events, '/echo')).toMatchObject({ kind: 'ws', status: 101, target: 'one' })
})
