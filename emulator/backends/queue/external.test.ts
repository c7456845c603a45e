import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { test, type TestContext } from 'vitest'
import { systemClock } from '../../../services/wire/clock.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { silentLog } from '../../../services/wire/log.ts'
import { embeddedQueue } from './embedded.ts'
import { externalQueue } from './external.ts'
import type { QueueContext } from './port.ts'

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIATHEIRS', AWS_SECRET_ACCESS_KEY: 'secret' }
const region = 'us-east-1'

test('requests go to the far queue signed with the keys of the user, under near URLs', async ({
  expect,
  onTestFinished,
}) => {
  const context = await contextIn(onTestFinished)
  const far = await embeddedQueue().start({ ...context, queues: [] })
  onTestFinished(() => far.stop())
  const signedBy = new Set<string | undefined>()
  const url = await served((request, response) => {
    signedBy.add(/Credential=(\w+)/.exec(request.headers.authorization ?? '')?.[1])
    far.handler(request, response)
  }, onTestFinished)

  const adapter = externalQueue({ url, region, variables: KEYS })
  expect(await adapter.probe()).toMatchObject({ available: true })
  const backend = await adapter.start(context)
  onTestFinished(() => backend.stop())
  const near = await served(backend.handler, onTestFinished)

  const client = new SQSClient({ endpoint: near, region, credentials: { accessKeyId: 'ours', secretAccessKey: 'x' } })
  onTestFinished(() => client.destroy())
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'orders' }))
  expect(QueueUrl).toBe(`${near}/000000000000/orders`)
  const body = `${url}/000000000000/orders`
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body }))
  const query = new URLSearchParams({ Action: 'GetQueueUrl', QueueName: 'orders' })
  const answer = await fetch(near, { method: 'POST', body: query })
  expect(await answer.text()).toContain(`<QueueUrl>${near}/000000000000/orders</QueueUrl>`)

  const source = backend.source('orders')
  const signal = new AbortController().signal
  const [message] = await source.receive({ max: 10, waitMs: 0, signal })
  expect(message).toMatchObject({ body, attributes: { ApproximateReceiveCount: '1' } })
  await source.delete([message?.receiptHandle ?? ''])
  expect(await source.visibilityTimeoutSeconds()).toBe(7)
  expect(signedBy).toEqual(new Set(['AKIATHEIRS']))
})

async function contextIn(onTestFinished: TestContext['onTestFinished']): Promise<QueueContext> {
  const stateDir = await mkdtemp(join(tmpdir(), 'aldea-queue-'))
  onTestFinished(() => rm(stateDir, { recursive: true }))
  const queues = [{ name: 'orders', attributes: { VisibilityTimeout: '7' } }]
  return { stateDir, region, queues, clock: systemClock, ids: systemIds, log: silentLog }
}

async function served(handler: RequestListener, onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
