import { request } from 'node:http'
import { ChangeMessageVisibilityCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { Consumer } from 'sqs-consumer'
import { receiveNow, receiveOne, send } from './exchange.ts'
import { askJson } from './raw.ts'
import { attributesOf, type ContractItem, newQueue, settle } from './world.ts'

export const waiting: readonly ContractItem[] = [
  {
    title: 'a long poll ends with the first message and does not wait for more',
    async check(world) {
      const queue = await newQueue(world)
      const waiter = receiveNow(world.sqs, queue, { WaitTimeSeconds: 20 })
      await settle(world, queue)
      await send(world.sqs, queue, 'awaited')
      world.expect((await waiter).map(({ Body }) => Body)).toEqual(['awaited'])
    },
  },
  {
    title: 'a long poll without a message ends empty, without the key Messages',
    async check({ endpoint, ...rest }) {
      const queue = await newQueue({ endpoint, ...rest })
      const answer = await askJson(endpoint, 'ReceiveMessage', { QueueUrl: queue, WaitTimeSeconds: 1 })
      rest.expect(answer.status).toBe(200)
      rest.expect(JSON.parse(answer.text)).toEqual({})
    },
  },
  {
    title: 'the wait of the queue holds when the call names none',
    async check(world) {
      const { sqs, expect } = world
      const queue = await newQueue(world, { ReceiveMessageWaitTimeSeconds: '20' })
      const waiter = receiveNow(sqs, queue, { WaitTimeSeconds: undefined })
      await settle(world, queue)
      await send(sqs, queue, 'awaited')
      expect(await waiter).toHaveLength(1)
      await sqs.send(
        new SetQueueAttributesCommand({ QueueUrl: queue, Attributes: { ReceiveMessageWaitTimeSeconds: '0' } }),
      )
      expect(await receiveNow(sqs, queue, { WaitTimeSeconds: undefined })).toEqual([])
    },
  },
  {
    title: 'one message wakes one of two waiters',
    async check(world) {
      const queue = await newQueue(world)
      const waiters = [1, 2].map(() => receiveNow(world.sqs, queue, { WaitTimeSeconds: 2 }))
      await settle(world, queue)
      await send(world.sqs, queue, 'awaited')
      world.expect((await Promise.all(waiters)).flat()).toHaveLength(1)
    },
  },
  {
    title: 'a client that is gone takes no message with it',
    async check(world) {
      const queue = await newQueue(world)
      const gone = await longPollOf(world.endpoint, queue)
      await settle(world, queue)
      gone()
      await settle(world, queue)
      await send(world.sqs, queue, 'for the living')
      world.expect((await receiveOne(world.sqs, queue)).Body).toBe('for the living')
    },
  },
  {
    title: 'a visibility timeout of 0 wakes who waits',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'again')
      const { ReceiptHandle } = await receiveOne(world.sqs, queue)
      const waiter = receiveNow(world.sqs, queue, { WaitTimeSeconds: 20 })
      await settle(world, queue)
      await world.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue, ReceiptHandle, VisibilityTimeout: 0 }))
      world.expect((await waiter).map(({ Body }) => Body)).toEqual(['again'])
    },
  },
  {
    title: 'a visibility timeout that runs out wakes who waits',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'again')
      await receiveOne(world.sqs, queue, { VisibilityTimeout: 1 })
      const [message] = await receiveNow(world.sqs, queue, { WaitTimeSeconds: 20 })
      world.expect(message?.Body).toBe('again')
    },
  },
  {
    title: 'a delayed message comes when its delay is over, and wakes who waits',
    async check(world) {
      const queue = await newQueue(world)
      await send(world.sqs, queue, 'later', { DelaySeconds: 1 })
      world.expect(await receiveNow(world.sqs, queue)).toEqual([])
      world.expect((await receiveOne(world.sqs, queue)).Body).toBe('later')
    },
  },
  {
    title: 'the delay of the queue holds, a delay of 0 for one message overrides it',
    async check(world) {
      const queue = await newQueue(world, { DelaySeconds: '1' })
      await send(world.sqs, queue, 'later')
      await send(world.sqs, queue, 'now', { DelaySeconds: 0 })
      world.expect((await receiveNow(world.sqs, queue)).map(({ Body }) => Body)).toEqual(['now'])
      world.expect((await receiveOne(world.sqs, queue)).Body).toBe('later')
    },
  },
  {
    title: 'sqs-consumer handles every message once and leaves the failed one',
    async check(world) {
      const { sqs, expect, onTestFinished } = world
      const queue = await newQueue(world)
      const bodies = Array.from({ length: 30 }, (_, index) => `m${String(index).padStart(2, '0')}`)
      for (const body of bodies) await send(sqs, queue, body)
      const handled: string[] = []
      const consumer = Consumer.create({
        queueUrl: queue,
        sqs,
        batchSize: 10,
        shouldDeleteMessages: true,
        async handleMessage({ Body, ...message }) {
          handled.push(String(Body))
          await Promise.resolve()
          if (Body === 'm07') throw new Error('poison')
          return { Body, ...message }
        },
      })
      consumer.on('error', () => undefined)
      consumer.on('processing_error', () => undefined)
      onTestFinished(() => consumer.stop({ abort: true }))
      consumer.start()
      await expect.poll(() => handled.length, { timeout: 10_000 }).toBe(bodies.length)
      expect(handled.toSorted()).toEqual(bodies)
      await expect
        .poll(() => attributesOf(sqs, queue), { timeout: 10_000 })
        .toMatchObject({
          ApproximateNumberOfMessages: '0',
          ApproximateNumberOfMessagesNotVisible: '1',
        })
    },
  },
]

/** A long poll on a connection of its own; the function that is returned cuts it. */
function longPollOf(endpoint: string, queueUrl: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const call = request(endpoint, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.ReceiveMessage' },
    })
    call.on('error', reject)
    call.end(JSON.stringify({ QueueUrl: queueUrl, WaitTimeSeconds: 20 }), () => resolve(() => call.destroy()))
  })
}
