import { CreateQueueCommand, GetQueueAttributesCommand, type QueueAttributeName, SQSClient } from '@aws-sdk/client-sqs'
import type { TestContext } from 'vitest'

/** One thing that every supplier of queues does. */
export interface ContractItem {
  readonly title: string
  check(world: World): Promise<void>
}

/** What an item has to do its check with. */
export interface World {
  readonly endpoint: string
  readonly sqs: SQSClient
  readonly expect: TestContext['expect']
  readonly onTestFinished: TestContext['onTestFinished']
  /** For a queue that nobody else has. */
  newName(): string
}

export const REGION = 'us-east-1'

export type Attributes = Partial<Record<QueueAttributeName, string>>

export function connectSqs(endpoint: string): SQSClient {
  return new SQSClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
}

/** The URL of a new standard queue. */
export async function newQueue({ sqs, newName }: World, attributes: Attributes = {}): Promise<string> {
  return createQueue(sqs, newName(), attributes)
}

export async function newFifoQueue({ sqs, newName }: World, attributes: Attributes = {}): Promise<string> {
  return createQueue(sqs, `${newName()}.fifo`, { FifoQueue: 'true', ...attributes })
}

export async function createQueue(sqs: SQSClient, name: string, attributes: Attributes = {}): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))
  return defined(QueueUrl, 'QueueUrl')
}

export async function attributesOf(sqs: SQSClient, queueUrl: string): Promise<Attributes> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }))
  return Attributes ?? {}
}

export async function arnOf(sqs: SQSClient, queueUrl: string): Promise<string> {
  return defined((await attributesOf(sqs, queueUrl)).QueueArn, 'QueueArn')
}

/** `attributes` of a queue whose messages go to a dead-letter queue. */
export function redriveTo(deadLetterTargetArn: string, maxReceiveCount: number): Attributes {
  return { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) }
}

/** Some round trips: what was sent before them has been read by the server. */
export async function settle({ sqs }: World, queueUrl: string): Promise<void> {
  for (let trip = 0; trip < 5; trip += 1) await attributesOf(sqs, queueUrl)
}

export function defined<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`The answer has no ${name}.`)
  return value
}
