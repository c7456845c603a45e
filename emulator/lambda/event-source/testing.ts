import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { silentLog } from '../../../services/wire/log.ts'
import { systemIds } from '../../../services/wire/ids.ts'
import { startAwsEndpoint } from '../../aws/endpoint.ts'
import { embeddedQueue } from '../../backends/queue/embedded.ts'
import type { MessageSource } from '../../backends/queue/port.ts'
import { createVirtualClock, type VirtualClock } from '../../core/clock.ts'
import type { EventSourceSpec } from '../../core/system.ts'
import { type EventSourceMapping, startEventSource } from '../event-source.ts'
import type { FunctionDeps, LoadedFunction } from '../function.ts'
import { type Handler, load, REGION } from '../testing.ts'

type OnFinished = (cleanup: () => Promise<void>) => void

export interface MappedEvent {
  readonly Records: readonly MappedRecord[]
}

export interface MappedRecord {
  readonly messageId: string
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface Arrangement {
  readonly clock: VirtualClock
  readonly loaded: LoadedFunction
  /** Messages by their bodies; into a FIFO queue they go in one group. */
  send(...bodies: readonly string[]): Promise<void>
  sendMessage(message: Partial<SendMessageCommandInput>): Promise<void>
  /** Maps the queue to the function. */
  begin(spec?: Partial<EventSourceSpec>, change?: (source: MessageSource) => MessageSource): Promise<EventSourceMapping>
  /** Messages in the queue: those that can be received, and those in flight. */
  counts(): Promise<{ readonly visible: number; readonly inFlight: number }>
}

export interface Wanted {
  readonly handler: Handler
  readonly settings?: Partial<FunctionDeps>
  readonly queue?: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** A queue of 30 s visibility timeout and a function, on one virtual clock, not yet mapped. All ends with the test. */
export async function arrange(onFinished: OnFinished, wanted: Wanted): Promise<Arrangement> {
  const { handler, settings, queue = 'q', attributes = {} } = wanted
  const clock = createVirtualClock(1_700_000_000_000)
  const stateDir = await mkdtemp(join(tmpdir(), 'aldea-mapping-'))
  onFinished(() => rm(stateDir, { recursive: true, force: true }))
  const isFifo = queue.endsWith('.fifo')
  const fifo: Record<string, string> = isFifo ? { FifoQueue: 'true', ContentBasedDeduplication: 'true' } : {}
  const queues = [{ name: queue, attributes: { VisibilityTimeout: '30', ...fifo, ...attributes } }]
  const backend = await embeddedQueue().start({
    stateDir,
    region: REGION,
    queues,
    clock,
    ids: systemIds,
    log: silentLog,
  })
  onFinished(() => backend.stop())
  const refuse = (): void => undefined
  const endpoint = await startAwsEndpoint({ host: '127.0.0.1', port: 0, queue: () => backend, functions: refuse })
  onFinished(() => endpoint.stop())
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new SQSClient({ endpoint: endpoint.url, region: REGION, credentials, maxAttempts: 1 })
  onFinished(async () => client.destroy())
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: queue }))
  const loaded = await load(onFinished, handler, { clock, ...settings })

  async function sendMessage(message: Partial<SendMessageCommandInput>): Promise<void> {
    const group = isFifo ? { MessageGroupId: 'g' } : {}
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: '', ...group, ...message }))
  }

  return {
    clock,
    loaded,
    sendMessage,
    async send(...bodies) {
      for (const MessageBody of bodies) await sendMessage({ MessageBody })
    },
    async begin(spec = {}, change = (source) => source) {
      const mapping = await startEventSource({
        spec: { queue, batchSize: 10, maximumBatchingWindowSeconds: 0, reportBatchItemFailures: false, ...spec },
        source: change(backend.source(queue)),
        target: loaded,
        clock,
        ids: systemIds,
        log: silentLog,
      })
      onFinished(async () => {
        loaded.kill()
        await mapping.stop()
      })
      return mapping
    },
    async counts() {
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })
      const { Attributes = {} } = await client.send(command)
      return {
        visible: Number(Attributes['ApproximateNumberOfMessages']),
        inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible']),
      }
    },
  }
}

export function recordsOf(event: unknown): readonly MappedRecord[] {
  // The emulator made it.
  return (event as MappedEvent).Records
}
