import { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { describe, test } from 'vitest'
import { placeTasks } from '../../ecs/placement.ts'
import { get, healthCheck, openSocket, register, startTestBalancer } from '../../tests/test-balancer.ts'
import { nextChecks, startPatient } from '../../tests/test-patient.ts'
import { TARGET_KINDS } from './testing.ts'

const ZONES = ['a', 'b', 'c']

/** One client for each node: connections go to the nodes in turn. */
async function connectToNodes(
  port: number,
  onTestFinished: (cleanUp: () => void) => void,
): Promise<(() => Promise<string>)[]> {
  const clients = ZONES.map(() => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    return async () => {
      const { status, body } = await get(port, '/', { agent })
      return status === 200 ? body : String(status)
    }
  })
  for (const ask of clients) await ask()
  return clients
}

describe.for(TARGET_KINDS)('item 15, before a target %s', (kind) => {
  test('with cross-zone off a zone without targets is 503 on its own node only', async ({ expect, onTestFinished }) => {
    const { balancer, port } = await startTestBalancer({
      onTestFinished,
      zones: ZONES,
      targetGroups: [{ name: 'web', healthCheck, isCrossZone: false }],
    })
    const [one, two] = await Promise.all(
      ['a', 'b'].map((zone) => startPatient({ kind, id: `in-${zone}`, zone, onTestFinished })),
    )
    await register(
      balancer,
      'web',
      [one, two].flatMap((patient) => (patient ? [patient.target] : [])),
    )
    const nodes = await connectToNodes(port, onTestFinished)

    for (let count = 0; count < 2; count += 1) {
      expect(await Promise.all(nodes.map((ask) => ask()))).toEqual(['in-a', 'in-b', '503'])
    }
    balancer.targetGroup('web').deregister('in-a')
    expect(await Promise.all(nodes.map((ask) => ask()))).toEqual(['503', 'in-b', '503'])
  })

  test('with cross-zone on every node uses the targets of all zones', async ({ expect, onTestFinished }) => {
    const { balancer, port } = await startTestBalancer({ onTestFinished, zones: ZONES })
    const { target } = await startPatient({ kind, id: 'in-b', zone: 'b', onTestFinished })
    await register(balancer, 'web', [target])
    const nodes = await connectToNodes(port, onTestFinished)

    expect(await Promise.all(nodes.map((ask) => ask()))).toEqual(['in-b', 'in-b', 'in-b'])
  })

  test('zone loss is silence on that node, service by the others from the targets that are left', async ({
    expect,
    onTestFinished,
  }) => {
    const { balancer, port, clock } = await startTestBalancer({ onTestFinished, zones: ZONES })
    const patients = await Promise.all(
      ZONES.map((zone) => startPatient({ kind, id: `in-${zone}`, zone, onTestFinished })),
    )
    const others = patients.filter(({ target }) => target.zone !== 'b')
    await register(
      balancer,
      'web',
      patients.map(({ target }) => target),
    )
    const [first, , third] = await connectToNodes(port, onTestFinished)

    balancer.loseZone('b')
    await nextChecks(clock, others, 2)
    await nextChecks(clock, others, 2)
    await clock.advance(healthCheck.timeoutSeconds * 1000)

    for (const ask of [first, third]) {
      expect(new Set([await ask?.(), await ask?.()])).toEqual(new Set(['in-a', 'in-c']))
    }
    // Its address has left DNS by now. A client that remembers it gets no answer, and no refusal either.
    balancer.restoreZone('b')
    balancer.loseZone('b')
    const sockets: Socket[] = []
    for (let turn = 0; turn < ZONES.length; turn += 1) {
      const socket = await openSocket(port, onTestFinished)
      socket.resume().write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      sockets.push(socket)
    }
    const closed = (): number => sockets.filter((socket) => socket.closed).length
    await expect.poll(closed).toBe(ZONES.length - 1)
    await first?.()
    expect(sockets.filter((socket) => socket.bytesRead === 0 && socket.writable)).toHaveLength(1)
  })
})

test('item 15: 2, 4 and 10 tasks over three, two and one zones', ({ expect }) => {
  const spread = (zones: readonly string[]): string[] =>
    [2, 4, 10].map((count) => {
      const placed = placeTasks(zones, count)
      return zones.map((zone) => placed.filter((each) => each === zone).length).join('/')
    })

  expect(spread(ZONES)).toEqual(['1/1/0', '2/1/1', '4/3/3'])
  expect(spread(['a', 'b'])).toEqual(['1/1', '2/2', '5/5'])
  expect(spread(['a'])).toEqual(['2', '4', '10'])
})
