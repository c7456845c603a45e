import {
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs'
import { receiveNow, receiveOne, send } from './exchange.ts'
import { attributesOf, type ContractItem, createQueue, newFifoQueue, newQueue } from './world.ts'

const ACCOUNT = '000000000000'

export const queues: readonly ContractItem[] = [
  {
    title: 'a queue has the defaults of AWS',
    async check(world) {
      world.expect(await attributesOf(world.sqs, await newQueue(world))).toMatchObject({
        DelaySeconds: '0',
        MaximumMessageSize: '1048576',
        MessageRetentionPeriod: '345600',
        ReceiveMessageWaitTimeSeconds: '0',
        VisibilityTimeout: '30',
      })
    },
  },
  {
    title: 'a queue is encrypted by default',
    async check(world) {
      world.expect(await attributesOf(world.sqs, await newQueue(world))).toMatchObject({ SqsManagedSseEnabled: 'true' })
    },
  },
  {
    title: 'a queue has an ARN, two times in seconds and three counts',
    async check(world) {
      const name = world.newName()
      const attributes = await attributesOf(world.sqs, await createQueue(world.sqs, name))
      world.expect(attributes.QueueArn).toBe(`arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`)
      world.expect(attributes.CreatedTimestamp).toMatch(/^\d{10}$/)
      world.expect(attributes.LastModifiedTimestamp).toMatch(/^\d{10}$/)
      world.expect(attributes).toMatchObject({
        ApproximateNumberOfMessages: '0',
        ApproximateNumberOfMessagesDelayed: '0',
        ApproximateNumberOfMessagesNotVisible: '0',
      })
    },
  },
  {
    title: 'the counts follow the messages',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'one')
      await send(world.sqs, queue, 'two')
      await send(world.sqs, queue, 'later', { DelaySeconds: 900 })
      await receiveOne(world.sqs, queue)
      world.expect(await attributesOf(world.sqs, queue)).toMatchObject({
        ApproximateNumberOfMessages: '1',
        ApproximateNumberOfMessagesDelayed: '1',
        ApproximateNumberOfMessagesNotVisible: '1',
      })
    },
  },
  {
    title: 'only the attributes that were asked for are returned',
    async check({ sqs, expect, ...rest }) {
      const queue = await newQueue({ sqs, expect, ...rest })
      const some = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['VisibilityTimeout', 'QueueArn'] }),
      )
      expect(Object.keys(some.Attributes ?? {}).toSorted()).toEqual(['QueueArn', 'VisibilityTimeout'])
    },
  },
  {
    title: 'no queue attribute is returned when none was asked for',
    async check({ sqs, expect, ...rest }) {
      const queue = await newQueue({ sqs, expect, ...rest })
      const none = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue }))
      expect(none.Attributes ?? {}).toEqual({})
    },
  },
  {
    title: 'attributes are set at creation and changed later',
    async check(world) {
      const queue = await newQueue(world, { VisibilityTimeout: '45', DelaySeconds: '1' })
      await world.sqs.send(
        new SetQueueAttributesCommand({
          QueueUrl: queue,
          Attributes: { DelaySeconds: '3', ReceiveMessageWaitTimeSeconds: '4' },
        }),
      )
      world.expect(await attributesOf(world.sqs, queue)).toMatchObject({
        VisibilityTimeout: '45',
        DelaySeconds: '3',
        ReceiveMessageWaitTimeSeconds: '4',
      })
    },
  },
  {
    title: 'retention, size limit and policy are kept',
    async check(world) {
      const given = { MessageRetentionPeriod: '60', MaximumMessageSize: '1024', Policy: '{"Version":"2012-10-17"}' }
      const queue = await newQueue(world, given)
      world.expect(await attributesOf(world.sqs, queue)).toMatchObject(given)
    },
  },
  {
    title: 'a FIFO queue says so, with its scopes',
    async check(world) {
      const given = { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' }
      const queue = await newFifoQueue(world, { ContentBasedDeduplication: 'true', ...given })
      world.expect(await attributesOf(world.sqs, queue)).toMatchObject({
        FifoQueue: 'true',
        ContentBasedDeduplication: 'true',
        ...given,
      })
    },
  },
  {
    title: 'creating a queue again with the same attributes returns its URL',
    async check({ sqs, expect, newName }) {
      const name = newName()
      const url = await createQueue(sqs, name, { VisibilityTimeout: '45' })
      expect(await createQueue(sqs, name, { VisibilityTimeout: '45' })).toBe(url)
      expect(await createQueue(sqs, name)).toBe(url)
    },
  },
  {
    title: 'a queue is found by its name, at an address that can be reached',
    async check({ sqs, expect, newName, endpoint }) {
      const name = newName()
      const url = await createQueue(sqs, name)
      expect((await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl).toBe(url)
      expect(url).toBe(`${endpoint}/${ACCOUNT}/${name}`)
    },
  },
  {
    title: 'queues are listed by prefix',
    async check({ sqs, expect, newName }) {
      const prefix = `${newName()}-listed-`
      const urls = [await createQueue(sqs, `${prefix}a`), await createQueue(sqs, `${prefix}b`)]
      const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix }))
      expect(QueueUrls?.toSorted()).toEqual(urls)
    },
  },
  {
    title: 'queues are listed in pages',
    async check({ sqs, expect, newName }) {
      const prefix = `${newName()}-paged-`
      const urls = await Promise.all(['a', 'b', 'c'].map((each) => createQueue(sqs, prefix + each)))
      const page = { QueueNamePrefix: prefix, MaxResults: 2 }
      const first = await sqs.send(new ListQueuesCommand(page))
      expect(first.QueueUrls).toHaveLength(2)
      const second = await sqs.send(new ListQueuesCommand({ ...page, NextToken: first.NextToken }))
      expect([...(first.QueueUrls ?? []), ...(second.QueueUrls ?? [])].toSorted()).toEqual(urls)
      expect(second.NextToken).toBeUndefined()
    },
  },
  {
    title: 'tags are added, replaced, listed and removed',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newQueue(world)
      const tags = async (): Promise<unknown> =>
        (await sqs.send(new ListQueueTagsCommand({ QueueUrl: queue }))).Tags ?? {}
      await sqs.send(new TagQueueCommand({ QueueUrl: queue, Tags: { team: 'sync', stage: 'dev' } }))
      await sqs.send(new TagQueueCommand({ QueueUrl: queue, Tags: { stage: 'prod' } }))
      expect(await tags()).toEqual({ team: 'sync', stage: 'prod' })
      await sqs.send(new UntagQueueCommand({ QueueUrl: queue, TagKeys: ['team', 'unknown'] }))
      expect(await tags()).toEqual({ stage: 'prod' })
    },
  },
  {
    title: 'purging removes all messages, those in flight too',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newQueue(world)
      await send(sqs, queue, 'in flight')
      await receiveOne(sqs, queue)
      await send(sqs, queue, 'waiting')
      await sqs.send(new PurgeQueueCommand({ QueueUrl: queue }))
      await expect
        .poll(() => attributesOf(sqs, queue))
        .toMatchObject({
          ApproximateNumberOfMessages: '0',
          ApproximateNumberOfMessagesNotVisible: '0',
        })
      expect(await receiveNow(sqs, queue)).toEqual([])
    },
  },
  {
    title: 'a deleted queue is gone',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newQueue(world)
      await sqs.send(new DeleteQueueCommand({ QueueUrl: queue }))
      await expect(send(sqs, queue, 'late')).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
    },
  },
]
