import { ChangeMessageVisibilityCommand, DeleteMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { receiveAndDelete, receiveNow, receiveOne, send } from './exchange.ts'
import { type ContractItem, newFifoQueue, settle } from './world.ts'

const CONTENT_BASED = { ContentBasedDeduplication: 'true' }

export const fifo: readonly ContractItem[] = [
  {
    title: 'messages of one group are received in order, several in one call',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      for (const body of ['a', 'b', 'c']) await send(sqs, queue, body, { MessageGroupId: 'g' })
      expect((await receiveNow(sqs, queue)).map(({ Body }) => Body)).toEqual(['a', 'b', 'c'])
    },
  },
  {
    title: 'a group is locked while one of its messages is in flight, others are not',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      await send(sqs, queue, 'a1', { MessageGroupId: 'a' })
      await send(sqs, queue, 'a2', { MessageGroupId: 'a' })
      await send(sqs, queue, 'b1', { MessageGroupId: 'b' })
      const first = await receiveOne(sqs, queue)
      expect(first.Body).toBe('a1')
      expect((await receiveNow(sqs, queue)).map(({ Body }) => Body)).toEqual(['b1'])
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: first.ReceiptHandle }))
      expect((await receiveNow(sqs, queue)).map(({ Body }) => Body)).toEqual(['a2'])
    },
  },
  {
    title: 'deleting the message that locks a group wakes who waits for the next',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      await send(sqs, queue, 'a1', { MessageGroupId: 'a' })
      await send(sqs, queue, 'a2', { MessageGroupId: 'a' })
      const { ReceiptHandle } = await receiveOne(sqs, queue)
      const waiter = receiveNow(sqs, queue, { WaitTimeSeconds: 10 })
      await settle(world, queue)
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }))
      expect((await waiter).map(({ Body }) => Body)).toEqual(['a2'])
    },
  },
  {
    title: 'a message that comes back is before the later ones of its group',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      await send(sqs, queue, 'first', { MessageGroupId: 'g' })
      await send(sqs, queue, 'second', { MessageGroupId: 'g' })
      const { ReceiptHandle } = await receiveOne(sqs, queue)
      await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue, ReceiptHandle, VisibilityTimeout: 0 }))
      expect((await receiveOne(sqs, queue)).Body).toBe('first')
    },
  },
  {
    title: 'conformance 23: a duplicate after the deletion returns the same id and delivers nothing',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world)
      const key = { MessageGroupId: 'g', MessageDeduplicationId: 'once' }
      const original = await send(sqs, queue, 'body', key)
      await receiveAndDelete(sqs, queue)
      const duplicate = await send(sqs, queue, 'another body', key)
      expect(duplicate.MessageId).toBe(original.MessageId)
      expect(duplicate.SequenceNumber).toBe(original.SequenceNumber)
      expect(await receiveNow(sqs, queue)).toEqual([])
    },
  },
  {
    title: 'without an id the body decides what is a duplicate, attributes do not',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      const first = await send(sqs, queue, 'same', { MessageGroupId: 'g' })
      const MessageAttributes = { a: { DataType: 'String', StringValue: 'x' } }
      const again = await send(sqs, queue, 'same', { MessageGroupId: 'g', MessageAttributes })
      const other = await send(sqs, queue, 'other', { MessageGroupId: 'g' })
      expect(again.MessageId).toBe(first.MessageId)
      expect(other.MessageId).not.toBe(first.MessageId)
    },
  },
  {
    title: 'duplicates are told apart by queue, or by group where the queue says so',
    async check(world) {
      const { sqs, expect } = world
      const sendTwo = async (queue: string): Promise<boolean> => {
        const [one, other] = await Promise.all(
          ['a', 'b'].map((group) =>
            send(sqs, queue, 'body', { MessageGroupId: group, MessageDeduplicationId: 'same' }),
          ),
        )
        return one?.MessageId === other?.MessageId
      }
      expect(await sendTwo(await newFifoQueue(world))).toBe(true)
      const byGroup = { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }
      expect(await sendTwo(await newFifoQueue(world, byGroup))).toBe(false)
    },
  },
  {
    title: 'a duplicate inside one batch is answered like the first',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      const entry = { MessageBody: 'same', MessageGroupId: 'g' }
      const { Successful = [] } = await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: queue,
          Entries: [
            { Id: 'one', ...entry },
            { Id: 'two', ...entry },
          ],
        }),
      )
      expect(Successful).toHaveLength(2)
      expect(new Set(Successful.map(({ MessageId }) => MessageId)).size).toBe(1)
      expect(await receiveNow(sqs, queue)).toHaveLength(1)
    },
  },
  {
    title: 'sequence numbers have twenty digits and grow',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      const one = await send(sqs, queue, 'one', { MessageGroupId: 'g' })
      const two = await send(sqs, queue, 'two', { MessageGroupId: 'g' })
      expect(one.SequenceNumber).toMatch(/^\d{20}$/)
      expect(String(one.SequenceNumber) < String(two.SequenceNumber)).toBe(true)
    },
  },
  {
    title: 'a received message says its group, its deduplication id and its sequence number',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world)
      const key = { MessageGroupId: 'g', MessageDeduplicationId: 'd' }
      const { SequenceNumber } = await send(sqs, queue, 'body', key)
      expect((await receiveOne(sqs, queue)).Attributes).toMatchObject({ ...key, SequenceNumber })
    },
  },
  {
    title: 'a receive that is repeated with its attempt id gets the same messages',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      await send(sqs, queue, 'body', { MessageGroupId: 'g' })
      const attempt = { ReceiveRequestAttemptId: 'attempt-1' }
      const first = await receiveNow(sqs, queue, attempt)
      const again = await receiveNow(sqs, queue, attempt)
      expect(again.map(({ MessageId }) => MessageId)).toEqual(first.map(({ MessageId }) => MessageId))
      expect(again).toHaveLength(1)
    },
  },
  {
    title: 'a handle whose visibility has run out deletes nothing',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newFifoQueue(world, CONTENT_BASED)
      await send(sqs, queue, 'body', { MessageGroupId: 'g' })
      const { ReceiptHandle } = await receiveOne(sqs, queue, { VisibilityTimeout: 0 })
      await expect(sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }))).rejects.toThrow()
      expect((await receiveOne(sqs, queue)).Body).toBe('body')
    },
  },
]
