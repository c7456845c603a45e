import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import { test } from 'vitest'
import { createTestTargetGroup } from '../../tests/test-target-group.ts'
import type { NetworkTarget, TargetHealth } from '../model.ts'

type OnTestFinished = (cleanUp: () => void) => void

const INTERVAL_MS = 30_000
const TIMEOUT_MS = 5_000

async function listen(server: Server, onTestFinished: OnTestFinished): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function targetAt(port: number): NetworkTarget {
  return { id: 'one', zone: 'a', kind: 'network', host: '127.0.0.1', port, gone: new AbortController().signal }
}

function healthOf({ group }: Pick<ReturnType<typeof createTestTargetGroup>, 'group'>): TargetHealth | undefined {
  return group.describeHealth()[0]?.health
}

test('a network target sees the request of the real health checker, byte for byte, on a connection of its own', async ({
  expect,
  onTestFinished,
}) => {
  const seen: string[] = []
  const server = createServer((socket) => {
    socket.once('data', (chunk) => {
      seen.push(chunk.toString('latin1'))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const port = await listen(server, onTestFinished)
  const { group, clock } = createTestTargetGroup({ onTestFinished })

  group.register(targetAt(port))
  expect(await group.firstCheck('one')).toEqual({ passed: true })
  await clock.advance(INTERVAL_MS)
  await expect.poll(() => seen.length).toBe(2)

  const lines = [
    'GET /health HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: close',
    'User-Agent: ELB-HealthChecker/2.0',
    'Accept-Encoding: gzip, compressed',
  ]
  expect(seen).toEqual(Array.from({ length: 2 }, () => `${lines.join('\r\n')}\r\n\r\n`))
})

test('the check goes to the port that the group names instead of the traffic port', async ({
  expect,
  onTestFinished,
}) => {
  const hosts: (string | undefined)[] = []
  const server = createHttpServer((request, response) => {
    hosts.push(request.headers.host)
    response.end()
  })
  const port = await listen(server, onTestFinished)
  const healthCheck = { path: '/', intervalSeconds: 30, timeoutSeconds: 5, healthyThreshold: 2, unhealthyThreshold: 2 }
  const { group } = createTestTargetGroup({ onTestFinished, healthCheck: { ...healthCheck, port } })

  group.register(targetAt(1))

  expect(await group.firstCheck('one')).toEqual({ passed: true })
  expect(hosts).toEqual([`127.0.0.1:${port}`])
})

test('a refused connection, a reset and something that is no HTTP fail the check', async ({
  expect,
  onTestFinished,
}) => {
  const closed = createServer()
  const refusing = await listen(closed, onTestFinished)
  closed.close()
  await once(closed, 'close')
  const resetting = await listen(
    createServer((socket) => void socket.resetAndDestroy()),
    onTestFinished,
  )
  const talking = await listen(
    createServer((socket) => void socket.end('220 mail ESMTP\r\n')),
    onTestFinished,
  )

  for (const port of [refusing, resetting, talking]) {
    const { group } = createTestTargetGroup({ onTestFinished })
    group.register(targetAt(port))
    expect(await group.firstCheck('one')).toEqual({
      passed: false,
      reason: 'Target.FailedHealthChecks',
      description: 'Health checks failed',
    })
  }
})

test('a redirect is not followed: its own status is matched', async ({ expect, onTestFinished }) => {
  const server = createHttpServer((request, response) => {
    if (request.url === '/health') response.writeHead(301, { location: '/up' })
    response.end()
  })
  const port = await listen(server, onTestFinished)
  const strict = createTestTargetGroup({ onTestFinished })
  const healthCheck = {
    path: '/health',
    intervalSeconds: 30,
    timeoutSeconds: 5,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  }
  const lenient = createTestTargetGroup({ onTestFinished, healthCheck: { ...healthCheck, matcher: '200,300-399' } })

  strict.group.register(targetAt(port))
  lenient.group.register(targetAt(port))

  expect(await strict.group.firstCheck('one')).toMatchObject({
    description: 'Health checks failed with these codes: [301]',
  })
  expect(await lenient.group.firstCheck('one')).toEqual({ passed: true })
})

test('a target that does not answer is unhealthy after as many time-outs as the threshold says', async ({
  expect,
  onTestFinished,
}) => {
  const server = createServer()
  let isSilent = false
  server.on('connection', (socket) => {
    socket.on('data', () => {
      if (!isSilent) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const port = await listen(server, onTestFinished)
  const world = createTestTargetGroup({ onTestFinished })
  world.group.register(targetAt(port))
  await world.group.firstCheck('one')
  isSilent = true

  await world.clock.advance(2 * INTERVAL_MS + TIMEOUT_MS - 1)
  const before = healthOf(world)?.state
  await world.clock.advance(1)

  expect(before).toBe('healthy')
  expect(healthOf(world)).toMatchObject({
    state: 'unhealthy',
    reason: 'Target.Timeout',
    description: 'Request timed out',
  })
})
