import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { test } from 'vitest'
import { systemClock } from '../../services/wire/clock.ts'
import { systemIds } from '../../services/wire/ids.ts'
import { silentLog } from '../../services/wire/log.ts'
import { embeddedQueue } from '../backends/queue/embedded.ts'
import { createLambdaApi } from '../lambda/api/listener.ts'
import { load, REGION } from '../lambda/testing.ts'
import { type AwsEndpoint, startAwsEndpoint } from './endpoint.ts'

const CREDENTIALS = { accessKeyId: 'anybody', secretAccessKey: 'anything' }

/** A queue `q` and a function `f`, which answers its event, behind one address. */
async function start(onFinished: (cleanup: () => Promise<void>) => void): Promise<AwsEndpoint> {
  const stateDir = await mkdtemp(join(tmpdir(), 'aldea-endpoint-'))
  onFinished(() => rm(stateDir, { recursive: true, force: true }))
  const context = { stateDir, region: REGION, clock: systemClock, ids: systemIds, log: silentLog }
  const backend = await embeddedQueue().start({ ...context, queues: [{ name: 'q', attributes: {} }] })
  onFinished(() => backend.stop())
  const loaded = await load(onFinished, (event) => event)
  const functions = createLambdaApi({ ...context, functions: new Map([['f', loaded]]), mappings: () => [] })
  const endpoint = await startAwsEndpoint({ host: '127.0.0.1', port: 0, queue: () => backend, functions })
  onFinished(() => endpoint.stop())
  return endpoint
}

test('one address answers for queues and functions, whoever asks', async ({ expect, onTestFinished }) => {
  const { url } = await start(onTestFinished)
  const settings = { endpoint: url, region: REGION, credentials: CREDENTIALS }
  const lambda = new LambdaClient(settings)
  onTestFinished(() => lambda.destroy())
  const sqs = new SQSClient(settings)
  onTestFinished(() => sqs.destroy())

  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'f', Payload: '"hello"' }))
  expect(Payload?.transformToString()).toBe('"hello"')
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'q' }))
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }))
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  expect(Messages?.map(({ Body }) => Body)).toEqual(['hello'])
})

test('the query protocol reaches the queues', async ({ expect, onTestFinished }) => {
  const { url } = await start(onTestFinished)
  const body = new URLSearchParams({ Action: 'GetQueueUrl', Version: '2012-11-05', QueueName: 'q' })
  const response = await fetch(url, { method: 'POST', body })
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('<QueueUrl>') as unknown])
})

test('a stop ends a long poll at once', async ({ expect, onTestFinished }) => {
  const { url, stop } = await start(onTestFinished)
  const sqs = new SQSClient({ endpoint: url, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 })
  onTestFinished(() => sqs.destroy())
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'q' }))
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }))
  const ended = expect(poll).rejects.toThrow()
  // Another answer says that the poll, sent before, has arrived.
  await sqs.send(new GetQueueUrlCommand({ QueueName: 'q' }))
  await stop()
  await ended
  await expect(fetch(url)).rejects.toThrow()
})

test('a port that is taken is an error', async ({ expect, onTestFinished }) => {
  const { url } = await start(onTestFinished)
  const nobody = (): void => undefined
  const taken = { host: '127.0.0.1', port: Number(new URL(url).port), queue: () => undefined, functions: nobody }
  await expect(startAwsEndpoint(taken)).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
