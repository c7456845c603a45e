import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'vitest'
import { start as startBackend } from '../../../services/backend/service.ts'
import { systemClock } from '../../../services/wire/clock.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { silentLog } from '../../../services/wire/log.ts'
import type { Running } from '../../../services/wire/runtime.ts'
import { createShared } from '../../../services/wire/shared.ts'
import { request } from '../../../services/wire/undici.ts'
import { freePort } from '../../core/ports.ts'
import type { StartedEnvironment } from '../../start-environment.ts'
import { startTestEnvironment } from '../test-environment.ts'

test('a program in the place of a service is called when it has come, and again when it has come again', async (context) => {
  const { expect, onTestFinished } = context
  const port = await freePort()
  const environment = await startTestEnvironment({
    onTestFinished,
    replace: { transcribe: [`http://127.0.0.1:${port}`] },
  })

  expect(environment.serviceVariables['transcribe']).toMatchObject({
    PORT: String(port),
    REDIS_URL: environment.variables['REDIS_URL'],
    STT_SERVERS: expect.stringMatching(/^stt-api-live-1=http:.*,stt-api-live-2=http:/) as string,
  })
  expect(() => environment.faults.killTask('transcribe')).toThrow('transcribe is a program of your own')
  expect(await listen(environment)).toMatchObject({ status: 502 })
  for (const word of ['first', 'second']) {
    const server = await serve(port, word)
    onTestFinished(() => server.close())
    expect(await listen(environment)).toEqual({ status: 200, text: `${word} /v1/listen 127.0.0.1` })
    await server.close()
    expect(await listen(environment)).toMatchObject({ status: 502 })
  }
})

test('several programs in the place of a service take turns', async (context) => {
  const { expect, onTestFinished } = context
  const servers = await Promise.all(['one', 'other'].map((word) => serve(0, word)))
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))))
  const environment = await startTestEnvironment({
    onTestFinished,
    replace: { transcribe: servers.map(({ url }) => url) },
  })
  const heard: string[] = []
  for (const _ of Array.from({ length: 4 })) heard.push((await listen(environment)).text.split(' ')[0] ?? '')
  expect(heard.toSorted()).toEqual(['one', 'one', 'other', 'other'])
})

test('where the backend is a program of the user, keys are known before it comes, and it finds its tables', async (context) => {
  const { expect, onTestFinished } = context
  const port = await freePort()
  const environment = await startTestEnvironment({ onTestFinished, replace: { backend: [`http://127.0.0.1:${port}`] } })
  expect(await listen(environment)).toMatchObject({ status: 200 })

  const { running, close } = await runBackend(environment, port)
  onTestFinished(close)
  const plans = await request(`${environment.url}/plans`)
  expect([plans.statusCode, running.server?.listening]).toEqual([200, true])
  await plans.body.dump()
})

test('without a speech server of ours the proxies call the one that takes its place', async (context) => {
  const { expect, onTestFinished } = context
  const server = await serve(0, 'speech')
  onTestFinished(() => server.close())
  const replace = { 'stt-api-live-1': [server.url], 'stt-api-live-2': [server.url] }
  const environment = await startTestEnvironment({ onTestFinished, replace })
  await listen(environment)
  expect(server.asked.length).toBeGreaterThan(0)
})

test.for([
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', 'localhost'],
  ['localhost', '127.0.0.1'],
] as const)('a program cannot listen where the load balancer does: %s, %s', async ([host, called], context) => {
  const { expect, onTestFinished } = context
  const port = await freePort()
  const replace = { backend: [`http://${called}:${port}`] }
  const started = startTestEnvironment({ onTestFinished, host, port, replace })
  await expect(started).rejects.toMatchObject({
    code: 'ALDEA_USAGE',
    message: `${called}:${port} is the load balancer itself, not a program of your own.`,
  })
})

interface Served {
  readonly url: string
  /** Paths. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** Says its word, what it was asked for and who was forwarded. */
async function serve(port: number, word: string): Promise<Served> {
  const asked: string[] = []
  const server = createServer((received, response) => {
    asked.push(received.url ?? '')
    received.resume()
    response.end(`${word} ${received.url} ${String(received.headers['x-forwarded-for'])}`)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      if (!server.listening) return
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen({ url, key, topology }: StartedEnvironment): Promise<{ status: number; text: string }> {
  const body = await readFile(topology.demo.audioFile)
  const answer = await request(`${url}/v1/listen`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${key}` },
  })
  return { status: answer.statusCode, text: await answer.body.text() }
}

/** As somebody does who runs it from a checkout. */
async function runBackend(
  { serviceVariables }: StartedEnvironment,
  port: number,
): Promise<{ running: Running; close: () => Promise<void> }> {
  const runtime = { clock: systemClock, ids: systemIds, log: silentLog, shared: createShared() }
  const running = await startBackend(serviceVariables['backend'] ?? {}, runtime)
  running.server?.listen(port, '127.0.0.1')
  if (running.server) await once(running.server, 'listening')
  return { running, close: () => running.stop() }
}
