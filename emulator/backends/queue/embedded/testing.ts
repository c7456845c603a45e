import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '../../../../services/wire/clock.ts'
import { systemIds } from '../../../../services/wire/ids.ts'
import { silentLog } from '../../../../services/wire/log.ts'
import { startAwsEndpoint } from '../../../aws/endpoint.ts'
import { type EmbeddedQueueBackend, embeddedQueue } from '../embedded.ts'
import type { QueueSpec } from '../port.ts'

type Cleanup = (run: () => Promise<void> | void) => void

export async function temporary(onTestFinished: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aldea-sqs-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Started {
  readonly stateDir: string
  readonly queues?: readonly QueueSpec[]
  readonly clock?: Clock
}

/** The embedded queues; stopped when the test is over. */
export async function started(
  { stateDir, queues = [], clock = systemClock }: Started,
  onTestFinished: Cleanup,
): Promise<EmbeddedQueueBackend> {
  const backend = await embeddedQueue().start({
    stateDir,
    region: 'us-east-1',
    queues,
    clock,
    ids: systemIds,
    log: silentLog,
  })
  onTestFinished(() => backend.stop())
  return backend
}

/** A client of a backend, over the endpoint that users have. */
export async function connected(backend: EmbeddedQueueBackend, onTestFinished: Cleanup): Promise<SQSClient> {
  const endpoint = await startAwsEndpoint({
    host: '127.0.0.1',
    port: 0,
    queue: () => backend,
    functions: (_request, response) => response.writeHead(404).end(),
  })
  onTestFinished(() => endpoint.stop())
  const client = new SQSClient({
    endpoint: endpoint.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  onTestFinished(() => client.destroy())
  return client
}

/** As an SQS client names it; the host does not matter. */
export function urlOf(queue: string): string {
  return `http://127.0.0.1/000000000000/${queue}`
}

export function spec(name: string, attributes: Record<string, string> = {}): QueueSpec {
  return { name, attributes }
}
