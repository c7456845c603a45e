import {
  CancelMessageMoveTaskCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs'
import { pairOfQueues } from './dead-letters.ts'
import { receiveNow, receiveOne, send } from './exchange.ts'
import { arnOf, attributesOf, type ContractItem, newQueue, type World } from './world.ts'

export const moveTasks: readonly ContractItem[] = [
  {
    title: 'dead letters are moved back to their source',
    async check(world) {
      const { sqs, expect } = world
      const { source, dead } = await queuesWithDeadLetter(world)
      const SourceArn = await arnOf(sqs, dead)
      await sqs.send(new StartMessageMoveTaskCommand({ SourceArn }))
      expect((await receiveOne(sqs, source)).Body).toBe('poison')
      expect(await attributesOf(sqs, dead)).toMatchObject({ ApproximateNumberOfMessages: '0' })
    },
  },
  {
    title: 'dead letters are moved to another queue',
    async check(world) {
      const { sqs, expect } = world
      const { dead } = await queuesWithDeadLetter(world)
      const other = await newQueue(world)
      const task = { SourceArn: await arnOf(sqs, dead), DestinationArn: await arnOf(sqs, other) }
      await sqs.send(new StartMessageMoveTaskCommand(task))
      expect((await receiveOne(sqs, other)).Body).toBe('poison')
    },
  },
  {
    title: 'a moved message has a new id',
    async check(world) {
      const { sqs, expect } = world
      const { source, dead, messageId } = await queuesWithDeadLetter(world)
      await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: await arnOf(sqs, dead) }))
      const moved = await receiveOne(sqs, source)
      expect(moved.Body).toBe('poison')
      expect(moved.MessageId).not.toBe(messageId)
    },
  },
  {
    title: 'a finished task is listed with its count',
    async check(world) {
      const { sqs, expect } = world
      const { dead } = await queuesWithDeadLetter(world)
      const SourceArn = await arnOf(sqs, dead)
      await sqs.send(new StartMessageMoveTaskCommand({ SourceArn }))
      await expect
        .poll(async () => (await tasksOf(sqs, SourceArn))[0], { timeout: 5000 })
        .toMatchObject({
          Status: 'COMPLETED',
          SourceArn,
          ApproximateNumberOfMessagesMoved: 1,
          ApproximateNumberOfMessagesToMove: 1,
        })
    },
  },
  {
    title: 'a running task is cancelled and leaves the rest where it is',
    async check(world) {
      const { sqs, expect } = world
      const { source, dead } = await pairOfQueues(world)
      for (let index = 0; index < 20; index += 1) await send(sqs, dead, `dead ${index}`)
      const SourceArn = await arnOf(sqs, dead)
      const task = { SourceArn, DestinationArn: await arnOf(sqs, source), MaxNumberOfMessagesPerSecond: 1 }
      const { TaskHandle } = await sqs.send(new StartMessageMoveTaskCommand(task))
      await expect(sqs.send(new StartMessageMoveTaskCommand(task))).rejects.toThrow()
      await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }))
      await expect.poll(async () => (await tasksOf(sqs, SourceArn))[0]?.Status, { timeout: 5000 }).toBe('CANCELLED')
      expect((await receiveNow(sqs, dead)).length).toBeGreaterThan(0)
    },
  },
]

/** A message that has been received twice lies in `dead`. */
async function queuesWithDeadLetter(world: World): Promise<{ source: string; dead: string; messageId: unknown }> {
  const { sqs } = world
  const { source, dead } = await pairOfQueues(world)
  const { MessageId: messageId } = await send(sqs, source, 'poison')
  await receiveOne(sqs, source, { VisibilityTimeout: 0 })
  await receiveOne(sqs, source, { VisibilityTimeout: 0 })
  await receiveNow(sqs, source)
  return { source, dead, messageId }
}

async function tasksOf(sqs: SQSClient, SourceArn: string): Promise<readonly ListMessageMoveTasksResultEntry[]> {
  return (await sqs.send(new ListMessageMoveTasksCommand({ SourceArn }))).Results ?? []
}
