import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { test } from 'vitest'
import { systemClock } from '../../../services/wire/clock.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { silentLog } from '../../../services/wire/log.ts'
import { containerQueue } from './container.ts'

const region = 'us-east-1'

test('queues are there from the start, with their dead-letter queue, and are read by an event source', async ({
  expect,
  onTestFinished,
}) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'aldea-queue-'))
  onTestFinished(() => rm(stateDir, { recursive: true }))
  const backend = await containerQueue().start({
    stateDir,
    region,
    queues: [
      {
        name: 'sync',
        attributes: { VisibilityTimeout: '9', SqsManagedSseEnabled: 'true' },
        deadLetterQueue: { name: 'sync-dlq', maxReceiveCount: 3 },
      },
      { name: 'sync.fifo', attributes: { FifoQueue: 'true' } },
    ],
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
  })
  onTestFinished(() => backend.stop())
  const server = createServer(backend.handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new SQSClient({ endpoint, region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
  onTestFinished(() => client.destroy())

  const source = backend.source('sync')
  expect(source.arn).toBe('arn:aws:sqs:us-east-1:000000000000:sync')
  expect(await source.visibilityTimeoutSeconds()).toBe(9)
  const received = source.receive({ max: 10, waitMs: 20_000, signal: new AbortController().signal })
  await client.send(new SendMessageCommand({ QueueUrl: `${endpoint}/000000000000/sync`, MessageBody: 'changed' }))
  const [message] = await received
  expect(message?.body).toBe('changed')
  await source.delete([message?.receiptHandle ?? ''])

  const gone = new AbortController()
  const waiting = source.receive({ max: 10, waitMs: 20_000, signal: gone.signal })
  gone.abort()
  expect(await waiting).toEqual([])
})
