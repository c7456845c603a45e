import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { test } from 'vitest'
import {
  createTargetOf,
  openSocket,
  readUntil,
  register,
  startNetworkTarget,
  startTestBalancer,
} from '../../tests/test-balancer.ts'
import type { Target } from '../model.ts'

type OnTestFinished = (cleanUp: () => void | Promise<void>) => void

const SOCKETS = 1_000
/** Below what a listener's backlog takes. */
const BATCH = 100
const OLD = ['old-1', 'old-2', 'old-3', 'old-4']
const STEP_MS = 15_000
const DELAY_SECONDS = 60
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

const KINDS = {
  'in-process': (id: string, server: ReturnType<typeof createServer>) => Promise.resolve(createTargetOf(id, server)),
  network: startNetworkTarget,
} satisfies Record<
  Target['kind'],
  (id: string, server: ReturnType<typeof createServer>, end: OnTestFinished) => Promise<Target>
>

/** Says who it is to every socket, and echoes what comes. */
function createProgram(id: string): ReturnType<typeof createServer> {
  const server = createServer((_, response) => void response.end(id))
  server.on('upgrade', (_, socket: Duplex) => {
    socket.on('error', () => undefined)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${id};`)
    socket.pipe(socket)
  })
  return server
}

async function openWebSocket(port: number, end: OnTestFinished): Promise<{ socket: Socket; owner: string }> {
  const socket = await openSocket(port, end)
  socket.on('error', () => undefined)
  socket.write(UPGRADE)
  const received = await readUntil(socket, ';')
  socket.resume()
  return { socket, owner: /([\w-]+);$/.exec(received)?.[1] ?? '' }
}

for (const kind of ['in-process', 'network'] as const) {
  test(`1 000 sockets through a rolling change of ${kind} targets: none is cut before its draining ends`, async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, port, clock } = await startTestBalancer({
      onTestFinished,
      // Nothing but the deregistration delay shall end a socket, and no check shall fall into the span.
      attributes: { idleTimeoutSeconds: 4_000 },
      targetGroups: [
        {
          name: 'web',
          deregistrationDelaySeconds: DELAY_SECONDS,
          healthCheck: {
            path: '/',
            intervalSeconds: 300,
            timeoutSeconds: 5,
            healthyThreshold: 2,
            unhealthyThreshold: 2,
          },
        },
      ],
    })
    const start = (id: string): Promise<Target> => KINDS[kind](id, createProgram(id), onTestFinished)
    await register(balancer, 'web', await Promise.all(OLD.map(start)))
    const open = new Map<string, Set<Socket>>(OLD.map((id) => [id, new Set()]))
    for (let count = 0; count < SOCKETS; count += BATCH) {
      const batch = Array.from({ length: BATCH }, () => openWebSocket(port, onTestFinished))
      for (const { socket, owner } of await Promise.all(batch)) {
        open.get(owner)?.add(socket)
        socket.once('close', () => open.get(owner)?.delete(socket))
      }
    }
    const openOf = (): number[] => OLD.map((id) => open.get(id)?.size ?? 0)
    expect(openOf()).toEqual(OLD.map(() => SOCKETS / OLD.length))

    for (const [index, id] of OLD.entries()) {
      await register(balancer, 'web', [await start(`new-${index + 1}`)])
      balancer.targetGroup('web').deregister(id)
      const later = await openWebSocket(port, onTestFinished)
      expect([...OLD.slice(index + 1), ...OLD.slice(0, index + 1).map((_, each) => `new-${each + 1}`)]).toContain(
        later.owner,
      )
      await clock.advance(STEP_MS)
    }

    // The first one's delay is over now, to the millisecond; the others have one, two and three steps to go.
    const size = SOCKETS / OLD.length
    for (let gone = 1; gone <= OLD.length; gone += 1) {
      await expect.poll(openOf).toEqual(OLD.map((_, index) => (index < gone ? 0 : size)))
      await clock.advance(STEP_MS - 1)
      expect(openOf()).toEqual(OLD.map((_, index) => (index < gone ? 0 : size)))
      await clock.advance(1)
    }
  })
}
