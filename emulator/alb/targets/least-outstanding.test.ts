import type { Duplex } from 'node:stream'
import { describe, test } from 'vitest'
import { get, healthCheck, openSocket, readUntil, register, startTestBalancer } from '../../tests/test-balancer.ts'
import { startPatient } from '../../tests/test-patient.ts'
import { TARGET_KINDS } from '../conformance/testing.ts'

describe.for(TARGET_KINDS)('least outstanding requests, of a target %s', (kind) => {
  test('an open WebSocket counts, an idle connection does not', async ({ expect, onTestFinished }) => {
    const { balancer, port } = await startTestBalancer({
      onTestFinished,
      targetGroups: [{ name: 'web', healthCheck, algorithm: 'least_outstanding_requests' }],
    })
    const patients = await Promise.all(['one', 'two'].map((id) => startPatient({ kind, id, onTestFinished })))
    for (const { server, target } of patients) {
      server.on('upgrade', (_, socket: Duplex) => {
        socket.on('error', () => undefined)
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${target.id};`,
        )
      })
    }
    await register(
      balancer,
      'web',
      patients.map(({ target }) => target),
    )
    const socket = await openSocket(port, onTestFinished)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const busy = /(\w+);$/.exec(await readUntil(socket, ';'))?.[1]
    const bodies = new Set<string>()

    for (let count = 0; count < 4; count += 1) bodies.add((await get(port, '/')).body)

    expect([...bodies]).toEqual([busy === 'one' ? 'two' : 'one'])
  })
})
