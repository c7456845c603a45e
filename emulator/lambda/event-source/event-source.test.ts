import {
  GetEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { describe, test } from 'vitest'
import { arrange, recordsOf } from './testing.ts'
import { serve } from '../testing.ts'

/** A handler that keeps the bodies of each batch. */
function keeping(): { readonly batches: string[][]; handler(event: unknown): void } {
  const batches: string[][] = []
  return { batches, handler: (event) => void batches.push(recordsOf(event).map(({ body }) => body)) }
}

test('a message is handed over while the clock stands still', async ({ expect, onTestFinished }) => {
  const { batches, handler } = keeping()
  const { begin, send, counts } = await arrange(onTestFinished, { handler })
  const mapping = await begin()
  expect(mapping.lastProcessingResult).toBe('No records processed')
  await send('a')
  await expect.poll(() => batches).toEqual([['a']])
  await expect.poll(counts).toEqual({ visible: 0, inFlight: 0 })
  expect(mapping.lastProcessingResult).toBe('OK')
})

test('a record has the members of the cloud, in lower camel case', async ({ expect, onTestFinished }) => {
  const events: unknown[] = []
  const { begin, sendMessage, clock } = await arrange(onTestFinished, { handler: (event) => void events.push(event) })
  await begin()
  await sendMessage({
    MessageBody: 'hello',
    MessageAttributes: {
      text: { DataType: 'String', StringValue: 'v' },
      bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) },
    },
  })
  await expect.poll(() => events.length).toBe(1)
  const text = expect.any(String) as unknown
  const now = String(clock.now())
  expect(events[0]).toEqual({
    Records: [
      {
        messageId: text,
        receiptHandle: text,
        body: 'hello',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: now,
          SenderId: text,
          ApproximateFirstReceiveTimestamp: now,
        },
        messageAttributes: {
          text: { stringValue: 'v', stringListValues: [], binaryListValues: [], dataType: 'String' },
          bytes: { binaryValue: 'AQID', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
        },
        md5OfBody: '5d41402abc4b2a76b9719d911017c592',
        md5OfMessageAttributes: text,
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-west-2:000000000000:q',
        awsRegion: 'us-west-2',
      },
    ],
  })
})

describe('a batch closes', () => {
  test('when its window is over', async ({ expect, onTestFinished }) => {
    const { batches, handler } = keeping()
    const { begin, send, counts, clock } = await arrange(onTestFinished, { handler })
    await begin({ maximumBatchingWindowSeconds: 5, batchSize: 100 })
    await send('a')
    await expect.poll(counts).toEqual({ visible: 0, inFlight: 1 })
    await clock.advance(4_999)
    await send('b')
    await expect.poll(counts).toEqual({ visible: 0, inFlight: 2 })
    expect(batches).toEqual([])
    await clock.advance(1)
    await expect.poll(() => batches).toEqual([['a', 'b']])
  })

  test('when it has its size, before the window is over', async ({ expect, onTestFinished }) => {
    const { batches, handler } = keeping()
    const { begin, send } = await arrange(onTestFinished, { handler })
    await send('a', 'b', 'c')
    await begin({ maximumBatchingWindowSeconds: 300, batchSize: 2 })
    await expect.poll(() => batches).toEqual([['a', 'b']])
  })

  test('before its event is larger than 6 MB', async ({ expect, onTestFinished }) => {
    const { batches, handler } = keeping()
    const { begin, send } = await arrange(onTestFinished, { handler })
    const bodies = Array.from({ length: 7 }, (_, index) => String(index).repeat(1_000_000))
    await send(...bodies)
    await begin()
    await expect
      .poll(() => batches.map((batch) => batch.map((body) => body[0])))
      .toEqual([['0', '1', '2', '3', '4', '5'], ['6']])
  })
})

test('no more batches than allowed run at a time, and what has no place stays in the queue', async ({
  expect,
  onTestFinished,
}) => {
  const waiting: (() => void)[] = []
  const handler = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
  const { begin, send, counts } = await arrange(onTestFinished, { handler })
  await send('a', 'b', 'c')
  await begin({ batchSize: 1, maximumConcurrency: 2 })
  await expect.poll(() => waiting.length).toBe(2)
  expect(await counts()).toEqual({ visible: 1, inFlight: 2 })
  waiting[0]?.()
  await expect.poll(() => waiting.length).toBe(3)
})

test('five batches run at first, and five more a second later', async ({ expect, onTestFinished }) => {
  let running = 0
  const handler = (): Promise<void> => {
    running += 1
    return new Promise(() => undefined)
  }
  const { begin, send, clock } = await arrange(onTestFinished, { handler, settings: { timeoutSeconds: 30 } })
  await send(...Array.from({ length: 12 }, (_, index) => `message ${index}`))
  await begin({ batchSize: 1 })
  await expect.poll(() => running).toBe(5)
  await clock.advance(1_000)
  await expect.poll(() => running).toBe(10)
})

test('a stop finishes the batch that runs, and hands over no more', async ({ expect, onTestFinished }) => {
  let finish: (() => void) | undefined
  const handler = (): Promise<void> => new Promise((resolve) => (finish = resolve))
  const { begin, send, counts } = await arrange(onTestFinished, { handler })
  const mapping = await begin()
  await send('a')
  await expect.poll(() => finish).toBeDefined()
  const stopped = mapping.stop()
  expect(mapping.state).toBe('Disabling')
  await send('b')
  finish?.()
  await stopped
  expect(mapping.state).toBe('Disabled')
  expect(await counts()).toEqual({ visible: 1, inFlight: 0 })
})

test('a stop does not wait for a batch that hangs', async ({ expect, onTestFinished }) => {
  let events = 0
  const handler = (): Promise<void> => {
    events += 1
    return new Promise(() => undefined)
  }
  const { begin, send, clock, loaded, counts } = await arrange(onTestFinished, {
    handler,
    settings: { timeoutSeconds: 30 },
  })
  const mapping = await begin()
  await send('a')
  await expect.poll(() => events).toBe(1)
  const stopped = mapping.stop().then(() => loaded.stop())
  await clock.advance(4_000)
  await stopped
  expect(await counts()).toEqual({ visible: 0, inFlight: 1 })
})

test('a stop hands over what waits for its window', async ({ expect, onTestFinished }) => {
  const { batches, handler } = keeping()
  const { begin, send, counts } = await arrange(onTestFinished, { handler })
  const mapping = await begin({ maximumBatchingWindowSeconds: 300 })
  await send('a')
  await expect.poll(counts).toEqual({ visible: 0, inFlight: 1 })
  await mapping.stop()
  expect(batches).toEqual([['a']])
  expect(await counts()).toEqual({ visible: 0, inFlight: 0 })
})

test('a queue that cannot be read for a while is read later', async ({ expect, onTestFinished }) => {
  const { batches, handler } = keeping()
  const { begin, send, clock } = await arrange(onTestFinished, { handler })
  await send('a')
  let failures = 0
  await begin({}, (source) => ({
    ...source,
    receive(options) {
      if (failures === 2) return source.receive(options)
      failures += 1
      return Promise.reject(new Error('away'))
    },
  }))
  await clock.advance(1_499)
  expect(batches).toEqual([])
  await clock.advance(1)
  await expect.poll(() => batches).toEqual([['a']])
})

test('the API lists a mapping, disables it and enables it again', async ({ expect, onTestFinished }) => {
  const { batches, handler } = keeping()
  const { begin, send, loaded } = await arrange(onTestFinished, { handler })
  const mapping = await begin({ maximumConcurrency: 2, reportBatchItemFailures: true })
  const { client } = await serve(onTestFinished, [loaded], [mapping])
  const described = {
    UUID: mapping.uuid,
    FunctionArn: 'arn:aws:lambda:us-west-2:000000000000:function:f',
    EventSourceArn: 'arn:aws:sqs:us-west-2:000000000000:q',
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 0,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 2 },
    State: 'Enabled',
  }
  const { EventSourceMappings } = await client.send(new ListEventSourceMappingsCommand({ FunctionName: 'f' }))
  expect(EventSourceMappings).toEqual([expect.objectContaining(described)])

  await client.send(new UpdateEventSourceMappingCommand({ UUID: mapping.uuid, Enabled: false }))
  const found = await client.send(new GetEventSourceMappingCommand({ UUID: mapping.uuid }))
  expect(found).toMatchObject({ ...described, State: 'Disabled', LastModified: expect.any(Date) as unknown })
  await send('a')
  await client.send(new UpdateEventSourceMappingCommand({ UUID: mapping.uuid, Enabled: true }))
  await expect.poll(() => batches).toEqual([['a']])

  const other = { UUID: mapping.uuid, BatchSize: 5 }
  await expect(client.send(new UpdateEventSourceMappingCommand(other))).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
  })
  const unknown = new GetEventSourceMappingCommand({ UUID: 'none' })
  await expect(client.send(unknown)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})

test('a function may not take longer than its queue waits', async ({ expect, onTestFinished }) => {
  const settings = { timeoutSeconds: 300 }
  const { begin } = await arrange(onTestFinished, { handler: () => undefined, settings })
  await expect(begin()).rejects.toMatchObject({
    type: 'InvalidParameterValueException',
    message: 'Queue visibility timeout: 30 seconds is less than Function timeout: 300 seconds',
  })
})

test.for<[string, string, Parameters<Awaited<ReturnType<typeof arrange>>['begin']>[0]]>([
  ['a batch above 10 without a window', 'q', { batchSize: 11 }],
  ['an empty batch', 'q', { batchSize: 0 }],
  ['a batch above 10 000', 'q', { batchSize: 10_001, maximumBatchingWindowSeconds: 1 }],
  ['a window above five minutes', 'q', { maximumBatchingWindowSeconds: 301 }],
  ['a concurrency of one', 'q', { maximumConcurrency: 1 }],
  ['a window on a FIFO queue', 'q.fifo', { maximumBatchingWindowSeconds: 1 }],
])('%s is refused', async ([, queue, spec], { expect, onTestFinished }) => {
  const { begin } = await arrange(onTestFinished, { handler: () => undefined, queue })
  await expect(begin(spec)).rejects.toMatchObject({ type: 'InvalidParameterValueException' })
})
