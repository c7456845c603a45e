import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { request } from '../../../services/wire/undici.ts'
import type { StartedEnvironment } from '../../start-environment.ts'
import { startTestEnvironment } from '../test-environment.ts'

test('with network targets the balancer reaches every service at an address, by request and by socket, also after a kill', async ({
  expect,
  onTestFinished,
}) => {
  const environment = await startTestEnvironment({ onTestFinished, hasNetworkTargets: true })
  const { events, faults } = environment
  const targets = async (): Promise<readonly string[]> => {
    const before = events.of('alb.access').length
    // Two tasks, in turn.
    expect([await transcribe(environment), await transcribe(environment)]).toEqual([200, 200])
    const seen = () => events.of('alb.access').slice(before)
    await vi.waitUntil(() => seen().length === 2)
    return seen()
      .map(({ access }) => access.targetAddress ?? 'none')
      .toSorted()
  }

  const first = await targets()
  expect(new Set(first).size).toBe(2)
  expect(first).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/), expect.stringMatching(/^127\.0\.0\.1:\d+$/)])

  const socket = new WebSocket(`${environment.url.replace('http', 'ws')}/v1/listen`, {
    headers: { authorization: `Bearer ${environment.key}` },
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'CloseStream' }))
  await once(socket, 'close')
  const { access } = await events.next('alb.access', { where: (event) => event.access.kind === 'ws' })
  expect([access.targetGroup, access.targetAddress]).toEqual(['ws-proxy', expect.stringMatching(/^127\.0\.0\.1:\d+$/)])

  faults.killTask('transcribe')
  await events.next('cloud.event', { where: ({ message }) => message.includes('registered 1 targets') })
  // Whoever takes the place of a task answers where that one did.
  expect(await targets()).toEqual(first)
})

async function transcribe({ url, key, topology }: StartedEnvironment): Promise<number> {
  const body = await readFile(topology.demo.audioFile)
  const headers = { authorization: `Bearer ${key}` }
  const answer = await request(`${url}/v1/listen`, { method: 'POST', body, headers })
  await answer.body.dump()
  return answer.statusCode
}
