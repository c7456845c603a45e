import { ListDeadLetterSourceQueuesCommand } from '@aws-sdk/client-sqs'
import { receiveNow, receiveOne, send } from './exchange.ts'
import { arnOf, attributesOf, type ContractItem, newFifoQueue, newQueue, redriveTo, type World } from './world.ts'

export const deadLetters: readonly ContractItem[] = [
  {
    title: 'conformance 23: with maxReceiveCount 2 the third receive finds the message in the dead-letter queue',
    async check(world) {
      const { sqs, expect } = world
      const { source, dead } = await pairOfQueues(world)
      const sent = await send(sqs, source, 'poison')
      for (const count of ['1', '2']) {
        const message = await receiveOne(sqs, source, { VisibilityTimeout: 0 })
        expect(message.Attributes?.ApproximateReceiveCount).toBe(count)
        expect(await receiveNow(sqs, dead)).toEqual([])
      }
      expect(await receiveNow(sqs, source)).toEqual([])
      expect(await receiveOne(sqs, dead)).toMatchObject({ MessageId: sent.MessageId, Body: 'poison' })
    },
  },
  {
    title: 'a dead letter keeps the time when it was sent',
    async check(world) {
      const { sqs, expect } = world
      const { source, dead } = await pairOfQueues(world)
      await send(sqs, source, 'poison')
      const before = await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      await receiveNow(sqs, source)
      const { SentTimestamp } = before.Attributes ?? {}
      expect((await receiveOne(sqs, dead)).Attributes).toMatchObject({ SentTimestamp })
    },
  },
  {
    title: 'a dead letter names the queue that it came from',
    async check(world) {
      const { sqs, expect } = world
      const { source, dead } = await pairOfQueues(world)
      await send(sqs, source, 'poison')
      await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      await receiveNow(sqs, source)
      const { DeadLetterQueueSourceArn } = (await receiveOne(sqs, dead)).Attributes ?? {}
      expect(DeadLetterQueueSourceArn).toBe(await arnOf(sqs, source))
    },
  },
  {
    title: 'a message that becomes a dead letter does not stop the ones behind it',
    async check(world) {
      const { sqs, expect } = world
      const { source } = await pairOfQueues(world)
      await send(sqs, source, 'poison')
      await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      await send(sqs, source, 'good')
      expect((await receiveNow(sqs, source)).map(({ Body }) => Body)).toEqual(['good'])
    },
  },
  {
    title: 'maxReceiveCount may be a string',
    async check(world) {
      const { sqs, expect } = world
      const dead = await newQueue(world)
      const policy = { deadLetterTargetArn: await arnOf(sqs, dead), maxReceiveCount: '1' }
      const source = await newQueue(world, { RedrivePolicy: JSON.stringify(policy) })
      await send(sqs, source, 'poison')
      await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      expect(await receiveNow(sqs, source)).toEqual([])
      expect((await receiveOne(sqs, dead)).Body).toBe('poison')
    },
  },
  {
    title: 'a dead-letter queue lists its sources',
    async check(world) {
      const { source, dead } = await pairOfQueues(world)
      const { queueUrls } = await world.sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }))
      world.expect(queueUrls).toEqual([source])
    },
  },
  {
    title: 'a message of a FIFO group becomes a dead letter and unlocks its group',
    async check(world) {
      const { sqs, expect } = world
      const content = { ContentBasedDeduplication: 'true' }
      const dead = await newFifoQueue(world, content)
      const source = await newFifoQueue(world, { ...content, ...redriveTo(await arnOf(sqs, dead), 1) })
      await send(sqs, source, 'poison', { MessageGroupId: 'g' })
      await receiveOne(sqs, source, { VisibilityTimeout: 0 })
      await send(sqs, source, 'good', { MessageGroupId: 'g' })
      expect((await receiveOne(sqs, source)).Body).toBe('good')
      expect((await receiveOne(sqs, dead)).Body).toBe('poison')
    },
  },
  {
    title: 'a standard queue is no dead-letter queue for a FIFO queue',
    async check(world) {
      const { sqs, expect } = world
      const dead = await arnOf(sqs, await newQueue(world))
      await expect(newFifoQueue(world, redriveTo(dead, 1))).rejects.toThrow()
    },
  },
  {
    title: 'a queue says who may use it for dead letters',
    async check(world) {
      const { sqs, expect } = world
      const dead = await newQueue(world, { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' })
      const attributes = await attributesOf(sqs, dead)
      expect(JSON.parse(String(attributes.RedriveAllowPolicy))).toEqual({ redrivePermission: 'denyAll' })
      await expect(newQueue(world, redriveTo(await arnOf(sqs, dead), 1))).rejects.toThrow()
    },
  },
]

/** A queue whose messages are dead letters after two receives. */
export async function pairOfQueues(world: World): Promise<{ readonly source: string; readonly dead: string }> {
  const dead = await newQueue(world)
  const source = await newQueue(world, redriveTo(await arnOf(world.sqs, dead), 2))
  return { source, dead }
}
