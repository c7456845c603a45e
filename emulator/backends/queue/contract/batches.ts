import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs'
import { receiveNow, receiveOne, send } from './exchange.ts'
import { attributesOf, type ContractItem, newFifoQueue, newQueue } from './world.ts'

export const batches: readonly ContractItem[] = [
  {
    title: 'ten messages are sent and received in one call each',
    async check({ sqs, expect, ...rest }) {
      const queue = await newQueue({ sqs, expect, ...rest })
      const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: `e${index}`, MessageBody: `body ${index}` }))
      const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }))
      expect(sent.Successful?.map(({ Id }) => Id)).toEqual(Entries.map(({ Id }) => Id))
      const received = await receiveNow(sqs, queue)
      expect(received.map(({ Body }) => String(Body)).toSorted()).toEqual(Entries.map(({ MessageBody }) => MessageBody))
    },
  },
  {
    title: 'a batch answers for each entry: good ones are sent, a bad one is named',
    async check({ sqs, expect, ...rest }) {
      const queue = await newQueue({ sqs, expect, ...rest })
      const { Successful, Failed } = await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: queue,
          Entries: [
            { Id: 'good', MessageBody: 'body' },
            { Id: 'bad', MessageBody: 'body', DelaySeconds: 901 },
          ],
        }),
      )
      expect(Successful?.map(({ Id }) => Id)).toEqual(['good'])
      expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'InvalidParameterValue' }])
    },
  },
  {
    title: 'an entry of a FIFO batch without a group fails alone',
    async check({ sqs, expect, ...rest }) {
      const queue = await newFifoQueue({ sqs, expect, ...rest }, { ContentBasedDeduplication: 'true' })
      const { Successful, Failed } = await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: queue,
          Entries: [
            { Id: 'good', MessageBody: 'body', MessageGroupId: 'g' },
            { Id: 'bad', MessageBody: 'other' },
          ],
        }),
      )
      expect(Successful?.map(({ Id }) => Id)).toEqual(['good'])
      expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'MissingParameter' }])
    },
  },
  {
    title: 'a batch of deletions deletes what it can and names the rest',
    async check({ sqs, expect, ...rest }) {
      const queue = await newQueue({ sqs, expect, ...rest })
      await send(sqs, queue, 'body')
      const { ReceiptHandle } = await receiveOne(sqs, queue)
      const { Successful, Failed } = await sqs.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queue,
          Entries: [
            { Id: 'good', ReceiptHandle },
            { Id: 'bad', ReceiptHandle: 'no handle' },
          ],
        }),
      )
      expect(Successful).toEqual([{ Id: 'good' }])
      expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }])
      expect(await attributesOf(sqs, queue)).toMatchObject({ ApproximateNumberOfMessagesNotVisible: '0' })
    },
  },
  {
    title: 'a batch of visibility timeouts makes messages visible and names the rest',
    async check({ sqs, expect, ...rest }) {
      const queue = await newQueue({ sqs, expect, ...rest })
      await send(sqs, queue, 'body')
      const { ReceiptHandle, MessageId } = await receiveOne(sqs, queue)
      const { Successful, Failed } = await sqs.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: queue,
          Entries: [
            { Id: 'good', ReceiptHandle, VisibilityTimeout: 0 },
            { Id: 'bad', ReceiptHandle: 'no handle', VisibilityTimeout: 0 },
          ],
        }),
      )
      expect(Successful).toEqual([{ Id: 'good' }])
      expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }])
      expect((await receiveOne(sqs, queue)).MessageId).toBe(MessageId)
    },
  },
]
