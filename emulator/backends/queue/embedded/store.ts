import type { Clock } from '../../../../services/wire/clock.ts'
import type { Ids } from '../../../../services/wire/runtime.ts'
import { ACCOUNT_ID } from '../port.ts'
import { queueDoesNotExist } from './errors.ts'
import { NAME_REST_MS } from './limits.ts'
import { type Journal, openJournal, readJournal } from './journal.ts'
import { type Message, sizeOf } from './message.ts'
import { type MoveTask } from './move-task.ts'
import { type Queue, createQueue } from './queue.ts'
import type { JournalRecord, KeptMessage, KeptQueue } from './records.ts'
import { put, refresh, remove } from './shelf.ts'

/** All queues, apart from any protocol. Time passes for it only when the clock says so. */
export interface Store {
  readonly clock: Clock
  readonly ids: Ids
  readonly region: string
  readonly journal: Journal
  /** By name. */
  readonly queues: Map<string, Queue>
  /** Names that rest after a deletion, and until when. */
  readonly resting: Map<string, number>
  readonly moveTasks: MoveTask[]
  /** The next serial number. */
  nextSerial(): number
}

export interface StoreOptions {
  readonly clock: Clock
  readonly ids: Ids
  readonly region: string
  readonly journalPath: string
  readonly compactAboveBytes?: number
}

/** The queues as the journal has them. */
export function openStore({ clock, ids, region, journalPath, compactAboveBytes }: StoreOptions): Store {
  let serial = 1
  const queues = new Map<string, Queue>()
  const resting = new Map<string, number>()
  const byUid = new Map<string, Queue>()

  function replay(record: JournalRecord): void {
    const [kind, subject] = record
    if (kind === 'serial') {
      serial = Math.max(serial, subject)
      return
    }
    if (kind === 'queue') {
      const queue = createQueue({ uid: subject, arn: arnOf(region, record[2].name), ...record[2] })
      const known = byUid.get(subject)
      if (known) Object.assign(known, { attributes: queue.attributes, settings: queue.settings, tags: queue.tags })
      else byUid.set(subject, queue)
      queues.set(queue.name, known ?? queue)
      return
    }
    const queue = byUid.get(subject)
    if (!queue) return
    switch (kind) {
      case 'drop':
        queues.delete(record[2])
        byUid.delete(subject)
        resting.set(record[2], record[3] + NAME_REST_MS)
        break
      case 'purge':
        removeBelow(queue, record[2])
        break
      case 'send':
        serial = Math.max(serial, record[2].serial + 1)
        restore(queue, record[2], clock.now())
        break
      case 'plain': {
        const [, , messageSerial, id, sentAtMs, body] = record
        serial = Math.max(serial, messageSerial + 1)
        restore(queue, { serial: messageSerial, id, sentAtMs, body }, clock.now())
        break
      }
      case 'remove': {
        const message = queue.messages.get(record[2])
        if (message) remove(queue, message)
        break
      }
      case 'remember':
        queue.memory.set(record[2], { messageId: record[3], serial: record[4], untilMs: record[5] })
        break
    }
  }

  for (const record of readJournal(journalPath)) replay(record)

  function* snapshot(): Iterable<JournalRecord> {
    yield ['serial', serial]
    for (const queue of queues.values()) yield* snapshotOf(queue, clock.now())
  }

  const journal = openJournal({
    path: journalPath,
    snapshot,
    liveBytes: () => liveBytesOf(queues.values()),
    ...(compactAboveBytes === undefined ? {} : { compactAboveBytes }),
  })
  return { clock, ids, region, journal, queues, resting, moveTasks: [], nextSerial: () => serial++ }
}

/** The queue, as of this moment. @throws QueueError */
export function findQueue(store: Store, name: string): Queue {
  const queue = store.queues.get(name)
  if (!queue) throw queueDoesNotExist()
  refresh(queue, store.clock.now())
  return queue
}

export function queueByArn(store: Store, arn: string): Queue | undefined {
  const queue = store.queues.get(arn.slice(arn.lastIndexOf(':') + 1))
  return queue?.arn === arn ? queue : undefined
}

export function arnOf(region: string, name: string): string {
  return `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`
}

export function keepQueue(store: Store, queue: Queue): void {
  store.journal.append(['queue', queue.uid, keptQueue(queue)])
}

export function removeBelow(queue: Queue, serial: number): void {
  for (const message of queue.messages.values()) if (message.serial < serial) remove(queue, message)
}

/** @returns everything of a message that must outlive the process. JSON leaves out what is undefined. */
export function keptMessage(message: Message, remembered?: { key: string; untilMs: number }): KeptMessage {
  return {
    serial: message.serial,
    id: message.id,
    body: message.body,
    sentAtMs: message.sentAtMs,
    visibleAtMs: message.state === 'delayed' ? message.visibleAtMs : undefined,
    attributes: message.attributes,
    groupId: message.groupId,
    deduplicationId: message.deduplicationId,
    traceHeader: message.traceHeader,
    deadLetterSource: message.deadLetterSource,
    receiveCount: message.receiveCount === 0 ? undefined : message.receiveCount,
    firstReceivedAtMs: message.firstReceivedAtMs,
    key: remembered?.key,
    untilMs: remembered?.untilMs,
  }
}

function keptQueue({ name, createdAtMs, modifiedAtMs, attributes, tags }: Queue): KeptQueue {
  return { name, createdAtMs, modifiedAtMs, attributes, tags }
}

function restore(queue: Queue, kept: KeptMessage, nowMs: number): void {
  const { key, untilMs, visibleAtMs = 0 } = kept
  const message: Message = {
    serial: kept.serial,
    id: kept.id,
    body: kept.body,
    sentAtMs: kept.sentAtMs,
    sizeBytes: sizeOf(kept.body, kept.attributes),
    state: visibleAtMs > nowMs ? 'delayed' : 'ready',
    visibleAtMs,
    receiveCount: kept.receiveCount ?? 0,
    firstReceivedAtMs: kept.firstReceivedAtMs,
    receiptHandle: undefined,
    receivedAtMs: 0,
    attributes: kept.attributes,
    groupId: kept.groupId,
    deduplicationId: kept.deduplicationId,
    traceHeader: kept.traceHeader,
    deadLetterSource: kept.deadLetterSource,
  }
  if (message.deadLetterSource !== undefined) queue.isSorted = false
  put(queue, message)
  if (key === undefined || untilMs === undefined) return
  queue.memory.set(key, { messageId: kept.id, serial: kept.serial, untilMs })
}

function* snapshotOf(queue: Queue, nowMs: number): Iterable<JournalRecord> {
  yield ['queue', queue.uid, keptQueue(queue)]
  for (const message of queue.messages.values()) yield ['send', queue.uid, keptMessage(message)]
  for (const [key, { messageId, serial, untilMs }] of queue.memory) {
    if (untilMs > nowMs) yield ['remember', queue.uid, key, messageId, serial, untilMs]
  }
}

function liveBytesOf(queues: Iterable<Queue>): number {
  let bytes = 0
  for (const queue of queues) {
    bytes += queue.memory.size * RECORD_BYTES
    bytes += queue.messages.sizeBytes + queue.messages.size * RECORD_BYTES
  }
  return bytes
}

/** About what a record has besides the message. */
const RECORD_BYTES = 200
