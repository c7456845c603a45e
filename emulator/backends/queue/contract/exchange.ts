import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SendMessageResult,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { defined } from './world.ts'

/** Messages that are there are found within this, visibility timeouts of a second included. */
const PATIENCE_SECONDS = 5

/** The SDK compares the MD5 of the body with its own and throws when they differ. */
export function send(
  sqs: SQSClient,
  queueUrl: string,
  body: string,
  more: Partial<SendMessageCommandInput> = {},
): Promise<SendMessageResult> {
  return sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, ...more }))
}

/** What is there at once; none when there is nothing. */
export async function receiveNow(
  sqs: SQSClient,
  queueUrl: string,
  more: Partial<ReceiveMessageCommandInput> = {},
): Promise<readonly Message[]> {
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0, ...more }),
  )
  return Messages ?? []
}

/** A message that is there or will be soon, with all its attributes. */
export async function receiveOne(
  sqs: SQSClient,
  queueUrl: string,
  more: Partial<ReceiveMessageCommandInput> = {},
): Promise<Message & { readonly ReceiptHandle: string }> {
  const [message] = await receiveNow(sqs, queueUrl, {
    MaxNumberOfMessages: 1,
    WaitTimeSeconds: PATIENCE_SECONDS,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
    ...more,
  })
  const { ReceiptHandle, ...rest } = defined(message, 'message')
  return { ...rest, ReceiptHandle: defined(ReceiptHandle, 'ReceiptHandle') }
}

export async function receiveAndDelete(sqs: SQSClient, queueUrl: string): Promise<Message> {
  const message = await receiveOne(sqs, queueUrl)
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }))
  return message
}
