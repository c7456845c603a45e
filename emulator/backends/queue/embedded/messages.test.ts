import { array, assert, boolean, constantFrom, nat, oneof, property, record, string } from 'fast-check'
import { test } from 'vitest'
import { systemIds } from '../../../../services/wire/ids.ts'
import type { Message } from './message.ts'
import { createMessages } from './messages.ts'
import { type Block, createPacker } from './packed-message.ts'

/** As a standard queue takes them from a client. */
function messageOf(serial: number, change: Partial<Message>): Message {
  const body = change.body ?? ''
  return {
    serial,
    id: systemIds.uuid(),
    body,
    sentAtMs: 1_795_000_000_000 + serial,
    sizeBytes: Buffer.byteLength(body),
    state: 'ready',
    visibleAtMs: 1_795_000_000_000 + serial,
    receiveCount: 0,
    firstReceivedAtMs: undefined,
    receiptHandle: undefined,
    receivedAtMs: 0,
    attributes: undefined,
    groupId: undefined,
    deduplicationId: undefined,
    traceHeader: undefined,
    deadLetterSource: undefined,
    ...change,
  }
}

const bodies = oneof(
  string({ unit: 'grapheme', minLength: 1 }),
  constantFrom('x'.repeat(4096), 'ü'.repeat(4096), '漢'.repeat(4096), 'x'.repeat(5000)),
)
/** What a message has that is more than its body. */
const extras = constantFrom<Partial<Message>>(
  { state: 'delayed' },
  { groupId: 'g' },
  { traceHeader: 'Root=1' },
  { attributes: { a: { DataType: 'String', StringValue: 'b' } } },
  { deadLetterSource: 'arn' },
  { receiveCount: 1, firstReceivedAtMs: 3 },
  { id: 'short' },
)
const changes = oneof(
  { weight: 3, arbitrary: record({ body: bodies }) },
  record({ body: bodies, extra: extras }).map(({ body, extra }) => Object.assign({ body }, extra)),
)
const step = oneof(
  { weight: 4, arbitrary: record({ add: changes, gap: constantFrom(0, 0, 0, 1, 63, 64, 200) }) },
  record({ remove: nat() }),
  record({ look: nat() }),
)

test('messages are kept as in a map of their numbers, packed or not', ({ expect }) => {
  assert(
    property(array(step, { maxLength: 60 }), boolean(), (steps, packs) => {
      const messages = createMessages(packs ? createPacker() : undefined)
      const expected = new Map<number, Message>()
      const nth = (place: number): number => [...expected.keys()][place % expected.size] ?? 0
      let serial = 0
      for (const each of steps) {
        if ('add' in each) {
          serial += 1 + each.gap
          expected.set(serial, messageOf(serial, each.add))
          messages.add({ ...messageOf(serial, each.add), id: expected.get(serial)?.id ?? '' })
        } else if ('remove' in each) {
          const gone = nth(each.remove)
          expected.delete(gone)
          messages.delete(gone)
        } else {
          const found = messages.get(nth(each.look))
          expect(found).toEqual(expected.get(nth(each.look)))
          // Whoever looks again sees what has changed.
          expect(messages.get(nth(each.look))).toBe(found)
        }
        expect(messages.size).toBe(expected.size)
      }
      expect([...messages.values()]).toEqual([...expected.values()])
      const sizes = [...expected.values()].map(({ sizeBytes }) => sizeBytes)
      expect(messages.sizeBytes).toBe(sizes.reduce((sum, one) => sum + one, 0))
    }),
  )
})

test('what only waits takes next to nothing of the heap', ({ expect }) => {
  const packer = createPacker()
  const pack = (serial: number): Block | undefined => packer.pack(messageOf(serial, { body: 'x'.repeat(500) }))?.block
  const blocks = new Set(Array.from({ length: 1000 }, (_, serial) => pack(serial)))
  // 548 bytes of each in blocks of 64 KiB.
  expect(blocks.size).toBeLessThan(12)
})

test('memory of messages that are gone is used again', ({ expect }) => {
  const messages = createMessages(createPacker())
  const used = new Set<ArrayBufferLike>()
  const packer = createPacker()
  for (let serial = 0; serial < 2000; serial += 1) {
    const block = packer.pack(messageOf(serial, { body: 'x'.repeat(500) }))?.block
    if (!block) continue
    used.add(block.bytes.buffer)
    packer.release(block)
    messages.add(messageOf(serial, { body: 'x'.repeat(500) }))
    if (serial >= 300) messages.delete(serial - 300)
  }
  expect(used.size).toBe(1)
  expect([...messages.values()].map(({ serial, body }) => [serial, body.length])).toEqual(
    Array.from({ length: 300 }, (_, index) => [1700 + index, 500]),
  )
})
