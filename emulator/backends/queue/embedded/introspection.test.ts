import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { test } from 'vitest'
import { createVirtualClock } from '../../../core/clock.ts'
import { startAwsEndpoint } from '../../../aws/endpoint.ts'
import { connected, spec, started, temporary, urlOf } from './testing.ts'

const refuse = (): void => undefined

test('somebody in another process sees queues and messages without receiving', async ({ expect, onTestFinished }) => {
  const clock = createVirtualClock(Date.parse('2026-11-21T12:00:00Z'))
  const queues = [spec('jobs', { VisibilityTimeout: '30' }), spec('empty.fifo', { FifoQueue: 'true' })]
  const backend = await started({ stateDir: await temporary(onTestFinished), queues, clock }, onTestFinished)
  const endpoint = await startAwsEndpoint({ host: '127.0.0.1', port: 0, queue: () => backend, functions: refuse })
  onTestFinished(() => endpoint.stop())
  const look = async (path: string, init?: RequestInit): Promise<[number, unknown]> => {
    const response = await fetch(`${endpoint.url}/_aldea/${path}`, init)
    return [response.status, await response.json()]
  }
  const sqs = await connected(backend, onTestFinished)
  const QueueUrl = urlOf('jobs')
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'taken' }))
  await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  await clock.advance(1500)
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'seen' }))
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'later', DelaySeconds: 60 }))

  const empty = { name: 'empty.fifo', visible: 0, inFlight: 0, delayed: 0, oldestAgeSeconds: null }
  const jobs = { name: 'jobs', visible: 1, inFlight: 1, delayed: 1, oldestAgeSeconds: 1.5 }
  expect(await look('queues')).toEqual([200, { queues: [empty, jobs] }])
  const id: unknown = expect.any(String)
  const messages = [
    { id, body: 'taken', attempts: 1, ageSeconds: 1.5, state: 'inFlight', visibleAt: '2026-11-21T12:00:30.000Z' },
    { id, body: 'seen', attempts: 0, ageSeconds: 0, state: 'visible' },
    { id, body: 'later', attempts: 0, ageSeconds: 0, state: 'delayed', visibleAt: '2026-11-21T12:01:01.500Z' },
  ]
  expect(await look('queues/jobs/messages')).toEqual([200, { queue: 'jobs', messages }])
  expect(await look('queues/jobs/messages?max=1')).toEqual([200, { queue: 'jobs', messages: messages.slice(0, 1) }])
  // Nothing has been received by looking.
  expect(await look('queues/jobs/messages')).toEqual([200, { queue: 'jobs', messages }])

  expect(await look('queues/nobody/messages')).toMatchObject([404, { message: 'There is no queue nobody.' }])
  expect(await look('else')).toMatchObject([404, { message: 'There is no /_aldea/else.' }])
  expect(await look('queues/jobs/messages?max=0')).toMatchObject([400, { message: 'max must be 1 to 1000.' }])
  expect(await look('queues', { method: 'POST' })).toMatchObject([405, {}])
})

test('where the queues cannot be looked at there is nothing', async ({ expect, onTestFinished }) => {
  const queue = (): { handler: () => void } => ({ handler: refuse })
  const endpoint = await startAwsEndpoint({ host: '127.0.0.1', port: 0, queue, functions: refuse })
  onTestFinished(() => endpoint.stop())
  expect((await fetch(`${endpoint.url}/_aldea/queues`)).status).toBe(404)
})

test('before the queues are there the answer is 503', async ({ expect, onTestFinished }) => {
  const endpoint = await startAwsEndpoint({ host: '127.0.0.1', port: 0, queue: () => undefined, functions: refuse })
  onTestFinished(() => endpoint.stop())
  expect((await fetch(endpoint.url)).status).toBe(503)
  expect((await fetch(`${endpoint.url}/_aldea/queues`)).status).toBe(503)
})
