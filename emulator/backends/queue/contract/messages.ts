import { createHash } from 'node:crypto'
import { ChangeMessageVisibilityCommand, DeleteMessageCommand } from '@aws-sdk/client-sqs'
import { receiveAndDelete, receiveNow, receiveOne, send } from './exchange.ts'
import { attributesOf, type ContractItem, newQueue } from './world.ts'

const TEXT = 'grüße, 世界\ttab\nline & <tag> "quoted"'
const MEGABYTE = 1_048_576

export const messages: readonly ContractItem[] = [
  {
    title: 'a message comes back as it was sent, with the MD5 that the SDK expects',
    async check(world) {
      const queue = await newQueue(world)
      const { MessageId, MD5OfMessageBody } = await send(world.sqs, queue, TEXT)
      world.expect(MD5OfMessageBody).toBe(createHash('md5').update(TEXT).digest('hex'))
      world
        .expect(await receiveOne(world.sqs, queue))
        .toMatchObject({ MessageId, Body: TEXT, MD5OfBody: MD5OfMessageBody })
    },
  },
  {
    title: 'characters beyond the first 65,536 are text like others',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, '😀 𝄞')
      world.expect((await receiveOne(world.sqs, queue)).Body).toBe('😀 𝄞')
    },
  },
  {
    title: 'conformance 23: attributes of all types come back, with the MD5 of the rule',
    async check(world) {
      const queue = await newQueue(world)
      const attributes = {
        zone: { DataType: 'String', StringValue: 'b' },
        count: { DataType: 'Number', StringValue: '42.50' },
        'a.bytes': { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255, 128, 10]) },
        custom: { DataType: 'Number.int', StringValue: '7' },
      }
      const sent = await send(world.sqs, queue, 'body', { MessageAttributes: attributes })
      world.expect(sent.MD5OfMessageAttributes).toBe(md5OfAttributes(attributes))
      const received = await receiveOne(world.sqs, queue)
      world.expect(received.MessageAttributes).toEqual(attributes)
      world.expect(received.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes)
    },
  },
  {
    title: 'the MD5 of a received message covers the attributes that were asked for',
    async check(world) {
      const queue = await newQueue(world)
      const one = { 'trace.id': { DataType: 'String', StringValue: 'x' } }
      const both = { ...one, other: { DataType: 'String', StringValue: 'y' } }
      await send(world.sqs, queue, 'body', { MessageAttributes: both })
      const received = await receiveOne(world.sqs, queue, { MessageAttributeNames: ['trace.*'] })
      world.expect(received.MessageAttributes).toEqual(one)
      world.expect(received.MD5OfMessageAttributes).toBe(md5OfAttributes(one))
    },
  },
  {
    title: 'no attribute is returned that was not asked for',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'body', { MessageAttributes: { a: { DataType: 'String', StringValue: 'x' } } })
      const received = await receiveOne(world.sqs, queue, {
        MessageAttributeNames: [],
        MessageSystemAttributeNames: [],
      })
      world.expect(received.MessageAttributes).toBeUndefined()
      world.expect(received.Attributes).toBeUndefined()
    },
  },
  {
    title: 'system attributes count the receives and keep the first time',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'body')
      const first = (await receiveOne(world.sqs, queue, { VisibilityTimeout: 0 })).Attributes
      const second = (await receiveOne(world.sqs, queue, { VisibilityTimeout: 0 })).Attributes
      world.expect(first).toMatchObject({ ApproximateReceiveCount: '1', SenderId: world.expect.any(String) })
      world.expect(first?.SentTimestamp).toMatch(/^\d{13}$/)
      world.expect(second).toEqual({ ...first, ApproximateReceiveCount: '2' })
    },
  },
  {
    title: 'system attributes are asked for by their old name too',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'body')
      const received = await receiveOne(world.sqs, queue, {
        MessageSystemAttributeNames: [],
        AttributeNames: ['ApproximateReceiveCount' as 'All'],
      })
      world.expect(received.Attributes).toEqual({ ApproximateReceiveCount: '1' })
    },
  },
  {
    title: 'a trace header travels as a system attribute',
    async check(world) {
      const queue = await newQueue(world)
      const header = 'Root=1-5759e988-bd862e3fe1be46a994272793'
      const AWSTraceHeader = { DataType: 'String', StringValue: header }
      await send(world.sqs, queue, 'body', { MessageSystemAttributes: { AWSTraceHeader } })
      world.expect((await receiveOne(world.sqs, queue)).Attributes?.AWSTraceHeader).toBe(header)
    },
  },
  {
    title: 'a message of one MiB is taken, one byte more is not',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'x'.repeat(MEGABYTE))
      world.expect((await receiveOne(world.sqs, queue)).Body).toHaveLength(MEGABYTE)
      await world.expect(send(world.sqs, queue, 'x'.repeat(MEGABYTE + 1))).rejects.toThrow()
    },
  },
  {
    title: 'attributes count for the size of a message',
    async check(world) {
      const queue = await newQueue(world)
      const MessageAttributes = { a: { DataType: 'String', StringValue: 'x'.repeat(1000) } }
      const tooLong = send(world.sqs, queue, 'x'.repeat(MEGABYTE - 1000), { MessageAttributes })
      await world.expect(tooLong).rejects.toThrow()
    },
  },
  {
    title: 'the size limit of a queue holds',
    async check(world) {
      const queue = await newQueue(world, { MaximumMessageSize: '1024' })
      await send(world.sqs, queue, 'x'.repeat(1024))
      await world.expect(send(world.sqs, queue, 'x'.repeat(1025))).rejects.toThrow()
    },
  },
  {
    title: 'a received message is hidden, then comes again with a new handle',
    async check(world) {
      const queue = await newQueue(world, { VisibilityTimeout: '1' })
      await send(world.sqs, queue, 'body')
      const first = await receiveOne(world.sqs, queue)
      world.expect(await receiveNow(world.sqs, queue)).toEqual([])
      const second = await receiveOne(world.sqs, queue)
      world.expect(second.MessageId).toBe(first.MessageId)
      world.expect(second.ReceiptHandle).not.toBe(first.ReceiptHandle)
    },
  },
  {
    title: 'a deleted message never comes again, and deleting it twice is no error',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'body')
      const { ReceiptHandle } = await receiveAndDelete(world.sqs, queue)
      await world.sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }))
      world.expect(await attributesOf(world.sqs, queue)).toMatchObject({
        ApproximateNumberOfMessages: '0',
        ApproximateNumberOfMessagesNotVisible: '0',
      })
    },
  },
  {
    title: 'a longer visibility timeout holds from now on',
    async check(world) {
      const queue = await newQueue(world, { VisibilityTimeout: '1' })
      await send(world.sqs, queue, 'body')
      const { ReceiptHandle } = await receiveOne(world.sqs, queue)
      await world.sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: queue, ReceiptHandle, VisibilityTimeout: 60 }),
      )
      world.expect(await receiveNow(world.sqs, queue, { WaitTimeSeconds: 2 })).toEqual([])
    },
  },
  {
    title: 'a group id is accepted on a standard queue',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'body', { MessageGroupId: 'tenant' })
      world.expect((await receiveOne(world.sqs, queue)).Attributes?.MessageGroupId).toBe('tenant')
    },
  },
]

type AttributeValue = { readonly DataType: string } & (
  | { readonly StringValue: string }
  | { readonly BinaryValue: Uint8Array }
)

/** As the developer guide of SQS says: sorted by name; length and bytes of name, type and value; a byte for the kind. */
function md5OfAttributes(attributes: Readonly<Record<string, AttributeValue>>): string {
  const hash = createHash('md5')
  const part = (bytes: Uint8Array): void => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hash.update(length).update(bytes)
  }
  for (const [name, value] of Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    part(Buffer.from(name))
    part(Buffer.from(value.DataType))
    const isBinary = 'BinaryValue' in value
    hash.update(Buffer.from([isBinary ? 2 : 1]))
    part(isBinary ? value.BinaryValue : Buffer.from(value.StringValue))
  }
  return hash.digest('hex')
}
