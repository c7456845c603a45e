import { type ExpectStatic, test } from 'vitest'
import type { EventSourceSpec } from '../../core/system.ts'
import { arrange, type Arrangement, type MappedRecord, recordsOf, type Wanted } from './testing.ts'

const REPORTING: Partial<EventSourceSpec> = { reportBatchItemFailures: true }
const EMPTY = { visible: 0, inFlight: 0 }

interface Seen extends Arrangement {
  /** Each batch: its bodies with how often each was received. */
  readonly batches: readonly string[]
}

/** Messages a, b and c wait; every batch of them is answered by `answer`. */
async function threeWait(
  onFinished: (cleanup: () => Promise<void>) => void,
  answer: (records: readonly MappedRecord[]) => unknown,
  wanted: Partial<Wanted> = {},
): Promise<Seen> {
  const batches: string[] = []
  const handler = (event: unknown): unknown => {
    const records = recordsOf(event)
    batches.push(records.map(({ body, attributes }) => `${body}${attributes['ApproximateReceiveCount']}`).join(' '))
    return answer(records)
  }
  const arrangement = await arrange(onFinished, { handler, ...wanted })
  await arrangement.send('a', 'b', 'c')
  return { ...arrangement, batches }
}

async function expectAllDeleted(expect: ExpectStatic, { batches, clock, counts }: Seen): Promise<void> {
  await expect.poll(counts).toEqual(EMPTY)
  await clock.advance(600_000)
  expect(batches).toEqual(['a1 b1 c1'])
}

/** None is there a moment before the visibility timeout is over, all are when it is. */
async function expectAllReturn(expect: ExpectStatic, { batches, clock, counts }: Seen): Promise<void> {
  await expect.poll(() => batches).toEqual(['a1 b1 c1'])
  await clock.advance(29_999)
  expect(batches).toEqual(['a1 b1 c1'])
  expect(await counts()).toEqual({ visible: 0, inFlight: 3 })
  await clock.advance(1)
  await expect.poll(() => batches.slice(1).join(' ').split(' ').sort()).toEqual(['a2', 'b2', 'c2'])
}

const never = (): never => {
  throw new Error('no')
}

test('conformance 24: a function that returns, without a response type, has its whole batch deleted', async ({
  expect,
  onTestFinished,
}) => {
  const seen = await threeWait(onTestFinished, ([first]) => ({
    batchItemFailures: [{ itemIdentifier: first?.messageId }],
  }))
  await seen.begin()
  await expectAllDeleted(expect, seen)
  expect(await seen.counts()).toEqual(EMPTY)
})

test('conformance 24: a function that throws has none deleted; they return when the visibility timeout is over', async ({
  expect,
  onTestFinished,
}) => {
  const seen = await threeWait(onTestFinished, never)
  const mapping = await seen.begin(REPORTING)
  await expectAllReturn(expect, seen)
  expect(await seen.counts()).toEqual({ visible: 0, inFlight: 3 })
  expect(mapping.lastProcessingResult).toMatch(/^PROBLEM: /)
})

test('conformance 24: a function that times out has none deleted', async ({ expect, onTestFinished }) => {
  const seen = await threeWait(onTestFinished, () => new Promise(() => undefined))
  await seen.begin(REPORTING)
  await expectAllReturn(expect, seen)
  expect(await seen.counts()).toEqual({ visible: 0, inFlight: 3 })
})

test('conformance 24: a throttled function has none deleted, and the mapping backs off', async ({
  expect,
  onTestFinished,
}) => {
  let finish: (() => void) | undefined
  const hold = (records: readonly MappedRecord[]): unknown =>
    records.length === 0 ? new Promise<void>((resolve) => (finish = resolve)) : undefined
  const settings = { maximumInstances: 1, timeoutSeconds: 30 }
  const seen = await threeWait(onTestFinished, hold, { settings })
  const busy = seen.loaded.invoke({ Records: [] })
  await expect.poll(() => finish).toBeDefined()
  const mapping = await seen.begin(REPORTING)
  await expect.poll(() => mapping.lastProcessingResult).toBe('PROBLEM: Function call throttled')
  expect(await seen.counts()).toEqual({ visible: 0, inFlight: 3 })
  finish?.()
  await busy
  await seen.clock.advance(29_999)
  expect(seen.batches).toEqual([''])
  await seen.clock.advance(60_000)
  await expect.poll(() => seen.batches.slice(1).join(' ').split(' ').sort()).toEqual(['a2', 'b2', 'c2'])
})

test.for<[string, unknown]>([
  ['{"batchItemFailures":[]}', { batchItemFailures: [] }],
  ['null', null],
  ['{}', {}],
  ['nothing', undefined],
  ['a null list', { batchItemFailures: null }],
  ['another member', { failures: [{ itemIdentifier: 'x' }] }],
  ['an empty string', ''],
])('conformance 24: ReportBatchItemFailures with %s is success', async ([, answer], { expect, onTestFinished }) => {
  const seen = await threeWait(onTestFinished, () => answer)
  await seen.begin(REPORTING)
  await expectAllDeleted(expect, seen)
  expect(await seen.counts()).toEqual(EMPTY)
})

test('conformance 24: a list of message ids keeps these until their visibility timeout, and deletes the others', async ({
  expect,
  onTestFinished,
}) => {
  const seen = await threeWait(onTestFinished, (records) => ({
    batchItemFailures: records
      .filter(({ body, attributes }) => body === 'b' && attributes['ApproximateReceiveCount'] === '1')
      .map(({ messageId }) => ({ itemIdentifier: messageId })),
  }))
  await seen.begin(REPORTING)
  await expect.poll(seen.counts).toEqual({ visible: 0, inFlight: 1 })
  await seen.clock.advance(29_999)
  expect(seen.batches).toEqual(['a1 b1 c1'])
  await seen.clock.advance(1)
  await expect.poll(() => seen.batches).toEqual(['a1 b1 c1', 'b2'])
  await expect.poll(seen.counts).toEqual(EMPTY)
})

const withItem = (item: (messageId: string | undefined) => unknown) => {
  return ([first]: readonly MappedRecord[]): unknown => ({ batchItemFailures: [item(first?.messageId)] })
}

test.for<[string, (records: readonly MappedRecord[]) => unknown]>([
  ['text that is no JSON', () => 'all is well'],
  ['a number', () => 7],
  ['a list', () => []],
  ['failures that are no list', () => ({ batchItemFailures: 'a' })],
  ['an empty identifier', withItem(() => ({ itemIdentifier: '' }))],
  ['a null identifier', withItem(() => ({ itemIdentifier: null }))],
  ['an unknown identifier', withItem(() => ({ itemIdentifier: 'somebody-else' }))],
  ['a wrong name of the key', withItem((messageId) => ({ messageId }))],
  ['identifiers without their key', withItem((messageId) => messageId)],
  [
    'one bad identifier among good ones',
    ([first]) => ({ batchItemFailures: [{ itemIdentifier: first?.messageId }, { itemIdentifier: '' }] }),
  ],
])('conformance 24: ReportBatchItemFailures with %s fails the whole batch', async ([, answer], context) => {
  const { expect, onTestFinished } = context
  const seen = await threeWait(onTestFinished, answer)
  await seen.begin(REPORTING)
  await expectAllReturn(expect, seen)
  expect(await seen.counts()).toEqual({ visible: 0, inFlight: 3 })
})

/** Reports `b` the first time, and what comes after it when it stops there. */
const failing =
  (stopsThere: boolean) =>
  (records: readonly MappedRecord[]): unknown => {
    const failed = records.findIndex(
      ({ body, attributes }) => body === 'b' && attributes['ApproximateReceiveCount'] === '1',
    )
    const reported = failed === -1 ? [] : records.slice(failed, stopsThere ? undefined : failed + 1)
    return { batchItemFailures: reported.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  }

test('conformance 24: FIFO keeps its order when the function stops at the first failure and reports all later ones', async ({
  expect,
  onTestFinished,
}) => {
  const seen = await threeWait(onTestFinished, failing(true), { queue: 'q.fifo' })
  await seen.begin(REPORTING)
  await expect.poll(seen.counts).toEqual({ visible: 0, inFlight: 2 })
  await seen.send('d')
  await seen.clock.advance(29_999)
  expect(seen.batches).toEqual(['a1 b1 c1'])
  await seen.clock.advance(1)
  await expect.poll(() => seen.batches.join(' ')).toBe('a1 b1 c1 b2 c2 d1')
})

test('conformance 24: FIFO loses its order when the function reports the failed message only', async ({
  expect,
  onTestFinished,
}) => {
  const seen = await threeWait(onTestFinished, failing(false), { queue: 'q.fifo' })
  await seen.begin(REPORTING)
  await expect.poll(seen.counts).toEqual({ visible: 0, inFlight: 1 })
  await seen.clock.advance(30_000)
  await expect.poll(() => seen.batches.join(' ')).toBe('a1 b1 c1 b2')
})
