import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { MessageAttribute, MessageSource, ReceiveOptions, SourceMessage } from './port.ts'

/** Of SQS, for one call. */
const MOST_MESSAGES = 10
const LONGEST_WAIT_SECONDS = 20

/** A queue somewhere else. `arn` is as the emulator names it. */
export interface SqsQueue {
  readonly client: SQSClient
  readonly url: string
  readonly arn: string
}

/** Reads a queue through the API, as a poller in the cloud does. */
export function sqsSource({ client, url, arn }: SqsQueue): MessageSource {
  return {
    arn,
    async visibilityTimeoutSeconds() {
      const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout'] })
      return Number((await client.send(command)).Attributes?.['VisibilityTimeout'])
    },
    receive: (options) => receive(client, url, options),
    async delete(receiptHandles) {
      for (let first = 0; first < receiptHandles.length; first += MOST_MESSAGES) {
        const handles = receiptHandles.slice(first, first + MOST_MESSAGES)
        const entries = handles.map((handle, index) => ({ Id: String(index), ReceiptHandle: handle }))
        // What the answer says of single handles is left alone: one that is no good is ignored.
        await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: entries }))
      }
    },
  }
}

/** SQS waits for whole seconds. */
async function receive(
  client: SQSClient,
  url: string,
  { max, waitMs, signal }: ReceiveOptions,
): Promise<readonly SourceMessage[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: Math.min(max, MOST_MESSAGES),
    WaitTimeSeconds: Math.min(Math.ceil(waitMs / 1000), LONGEST_WAIT_SECONDS),
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  })
  try {
    const { Messages = [] } = await client.send(command, { abortSignal: signal })
    return Messages.map(fromSqs)
  } catch (error) {
    if (signal.aborted) return []
    throw error
  }
}

function fromSqs(message: Message): SourceMessage {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    md5OfBody: message.MD5OfBody ?? '',
    md5OfMessageAttributes: message.MD5OfMessageAttributes,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, StringValue, BinaryValue }]) => {
        const attribute: MessageAttribute = {
          dataType: DataType ?? '',
          ...(StringValue !== undefined && { stringValue: StringValue }),
          ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
        }
        return [name, attribute]
      }),
    ),
  }
}
