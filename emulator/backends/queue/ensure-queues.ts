import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  SetQueueAttributesCommand,
  type QueueAttributeName,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { QueueSpec } from './port.ts'

export interface EnsureOptions {
  arnOf(queue: string): string
  /** Attributes that the server does not take. */
  readonly refused: ReadonlySet<string>
  /** Gives queues that are there already the attributes of their spec; else they are left as they are. */
  readonly isUpdating: boolean
}

/** Makes the queues that are absent, each after its dead-letter queue; answers their URLs by name. */
export async function ensureQueues(
  client: SQSClient,
  queues: readonly QueueSpec[],
  options: EnsureOptions,
): Promise<ReadonlyMap<string, string>> {
  const urls = new Map<string, string>()
  for (const { name, attributes, deadLetterQueue } of queues) {
    // A dead-letter queue is of the kind of the queues that use it.
    const kind: Record<string, string> = attributes['FifoQueue'] === undefined ? {} : { FifoQueue: 'true' }
    const deadLetters = deadLetterQueue?.name
    if (deadLetters !== undefined && !urls.has(deadLetters)) {
      const own = queues.find((queue) => queue.name === deadLetters)?.attributes
      urls.set(deadLetters, await ensureQueue(client, deadLetters, own ?? kind, options))
    }
    if (urls.has(name)) continue
    const redrive = deadLetterQueue && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: options.arnOf(deadLetterQueue.name),
        maxReceiveCount: deadLetterQueue.maxReceiveCount,
      }),
    }
    urls.set(name, await ensureQueue(client, name, { ...attributes, ...redrive }, options))
  }
  return urls
}

async function ensureQueue(
  client: SQSClient,
  name: string,
  wanted: Readonly<Record<string, string>>,
  { refused, isUpdating }: EnsureOptions,
): Promise<string> {
  const attributes = Object.fromEntries(Object.entries(wanted).filter(([key]) => !refused.has(key)))
  const existing = await queueUrl(client, name)
  if (existing === undefined) {
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))
    return QueueUrl
  }
  const { FifoQueue: _kind, ...changeable }: Partial<Record<QueueAttributeName, string>> = attributes
  if (isUpdating && Object.keys(changeable).length > 0) {
    await client.send(new SetQueueAttributesCommand({ QueueUrl: existing, Attributes: changeable }))
  }
  return existing
}

async function queueUrl(client: SQSClient, name: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl
  } catch (error) {
    if (error instanceof QueueDoesNotExist) return undefined
    throw error
  }
}
