import { DeleteQueueCommand, CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { type TestContext, test } from 'vitest'
import { createVirtualClock } from '../../../core/clock.ts'
import type { SourceMessage } from '../port.ts'
import { connected, spec, started, temporary, urlOf } from './testing.ts'

const NEVER = new AbortController().signal

/** One queue on a clock that stands still. */
async function standingStill(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  attributes: Record<string, string>,
) {
  const clock = createVirtualClock(1_700_000_000_000)
  const name = attributes['FifoQueue'] === 'true' ? 'jobs.fifo' : 'jobs'
  const stateDir = await temporary(onTestFinished)
  const backend = await started({ stateDir, queues: [spec(name, attributes)], clock }, onTestFinished)
  const sqs = await connected(backend, onTestFinished)
  const source = backend.source(name)
  return {
    clock,
    backend,
    sqs,
    name,
    send: (body: string, more: Record<string, unknown> = {}) =>
      sqs.send(new SendMessageCommand({ QueueUrl: urlOf(name), MessageBody: body, ...more })),
    receive: async (waitMs = 0, max = 10) => bodies(await source.receive({ max, waitMs, signal: NEVER })),
    source,
  }
}

function bodies(messages: readonly SourceMessage[]): string[] {
  return messages.map((message) => message.body)
}

test('a message is hidden for exactly its visibility timeout, and then wakes who waits', async ({
  expect,
  onTestFinished,
}) => {
  const { clock, send, receive } = await standingStill({ onTestFinished }, { VisibilityTimeout: '30' })
  await send('work')
  expect(await receive()).toEqual(['work'])
  await clock.advance(29_999)
  expect(await receive()).toEqual([])
  const waiting = receive(20_000)
  await clock.advance(1)
  expect(await waiting).toEqual(['work'])
})

test('a delayed message comes after its delay, not before', async ({ expect, onTestFinished }) => {
  const { clock, send, receive } = await standingStill({ onTestFinished }, {})
  await send('later', { DelaySeconds: 900 })
  await clock.advance(899_999)
  expect(await receive()).toEqual([])
  await clock.advance(1)
  expect(await receive()).toEqual(['later'])
})

test('a long poll ends when its time is over', async ({ expect, onTestFinished }) => {
  const { clock, receive } = await standingStill({ onTestFinished }, {})
  const waiting = receive(20_000)
  await clock.advance(20_000)
  expect(await waiting).toEqual([])
  expect(clock.pending).toBe(0)
})

test('a message goes when its retention is over, in flight or not', async ({ expect, onTestFinished }) => {
  const { clock, send, receive, backend } = await standingStill({ onTestFinished }, { MessageRetentionPeriod: '60' })
  await send('old')
  expect(await receive()).toEqual(['old'])
  await clock.advance(30_000)
  await send('young')
  expect(backend.inspect()[0]).toMatchObject({ visible: 2, oldestAgeMs: 30_000 })
  await clock.advance(30_000)
  expect(backend.inspect()[0]).toMatchObject({ visible: 1, inFlight: 0, oldestAgeMs: 30_000 })
  expect(await receive()).toEqual(['young'])
})

test('a duplicate is known for five minutes from the first send, deleted or not', async ({
  expect,
  onTestFinished,
}) => {
  const { clock, send, source } = await standingStill({ onTestFinished }, { FifoQueue: 'true' })
  const ids = { MessageGroupId: 'g', MessageDeduplicationId: 'd' }
  const first = await send('one', ids)
  const [message] = await source.receive({ max: 1, waitMs: 0, signal: NEVER })
  await source.delete([message?.receiptHandle ?? ''])
  await clock.advance(299_999)
  expect((await send('one', ids)).MessageId).toBe(first.MessageId)
  await clock.advance(1)
  expect((await send('one', ids)).MessageId).not.toBe(first.MessageId)
})

test('the name of a deleted queue rests for a minute', async ({ expect, onTestFinished }) => {
  const { clock, sqs } = await standingStill({ onTestFinished }, {})
  await sqs.send(new DeleteQueueCommand({ QueueUrl: urlOf('jobs') }))
  const create = () => sqs.send(new CreateQueueCommand({ QueueName: 'jobs' }))
  await expect(create()).rejects.toMatchObject({ name: 'QueueDeletedRecently' })
  await clock.advance(60_000)
  expect((await create()).QueueUrl).toMatch(/\/000000000000\/jobs$/)
})

test('a reader in the process takes more than ten at once', async ({ expect, onTestFinished }) => {
  const { send, receive } = await standingStill({ onTestFinished }, {})
  for (let count = 0; count < 15; count += 1) await send(String(count))
  expect(await receive(0, 100)).toHaveLength(15)
})

test('a waiter that leaves takes nothing with it', async ({ expect, onTestFinished }) => {
  const { send, source, sqs } = await standingStill({ onTestFinished }, {})
  const leaving = new AbortController()
  const waiting = source.receive({ max: 1, waitMs: 20_000, signal: leaving.signal })
  const aborted = new AbortController()
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl: urlOf('jobs'), WaitTimeSeconds: 20 }), {
    abortSignal: aborted.signal,
  })
  const gone = expect(poll).rejects.toThrow('aborted')
  aborted.abort()
  await gone
  leaving.abort()
  expect(await waiting).toEqual([])
  await send('work')
  expect(bodies(await source.receive({ max: 1, waitMs: 0, signal: NEVER }))).toEqual(['work'])
})
