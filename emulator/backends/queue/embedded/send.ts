import { createHash } from 'node:crypto'
import { hasForbidden } from './characters.ts'
import { QueueError, invalid, missing } from './errors.ts'
import { DEDUPLICATION_MS, MAX_DELAY_SECONDS } from './limits.ts'
import { type Message, type WireAttributes, isPlain, sequenceNumberOf, sizeOf } from './message.ts'
import type { Queue, Remembered } from './queue.ts'
import { put } from './shelf.ts'
import { type Store, keptMessage } from './store.ts'
import { watchDue } from './receive.ts'

/** What a sender asks for. */
export interface Draft {
  readonly body: string
  /** Whether the body is known to need no look at its characters. */
  readonly isVerbatim?: boolean
  readonly attributes?: WireAttributes | undefined
  readonly delayMs?: number | undefined
  readonly groupId?: string | undefined
  readonly deduplicationId?: string | undefined
  readonly traceHeader?: string | undefined
}

export interface Sent {
  readonly messageId: string
  /** Of FIFO queues. */
  readonly sequenceNumber: string | undefined
}

/** Accepts a message. @throws QueueError when the queue does not take it. */
export function send(store: Store, queue: Queue, draft: Draft): Sent {
  const sizeBytes = sizeOf(draft.body, draft.attributes)
  checkBody(draft, sizeBytes, queue.settings.maxBytes)
  if (queue.isFifo) return sendFifo(store, queue, draft, sizeBytes)
  if (draft.deduplicationId !== undefined) {
    throw invalid(
      'MessageDeduplicationId',
      draft.deduplicationId,
      'The request includes a parameter that is not valid for this queue type.',
    )
  }
  const message = accept(store, queue, draft, sizeBytes)
  if (isPlain(message)) appendPlain(store, queue, message, draft.isVerbatim)
  else store.journal.append(['send', queue.uid, keptMessage(message)])
  return { messageId: message.id, sequenceNumber: undefined }
}

function appendPlain({ journal }: Store, { uid }: Queue, message: Message, isVerbatim = false): void {
  const { serial, id, sentAtMs, body } = message
  journal.append(['plain', uid, serial, id, sentAtMs, body], isVerbatim)
}

function sendFifo(store: Store, queue: Queue, draft: Draft, sizeBytes: number): Sent {
  const deduplicationId = checkFifo(queue, draft)
  const key = queue.settings.deduplicatesByGroup ? `${draft.groupId}\n${deduplicationId}` : deduplicationId
  const nowMs = store.clock.now()
  const earlier = remembered(queue, key, nowMs)
  if (earlier) return { messageId: earlier.messageId, sequenceNumber: sequenceNumberOf(earlier.serial) }
  const message = accept(store, queue, { ...draft, deduplicationId }, sizeBytes)
  const untilMs = nowMs + DEDUPLICATION_MS
  queue.memory.set(key, { messageId: message.id, serial: message.serial, untilMs })
  store.journal.append(['send', queue.uid, keptMessage(message, { key, untilMs })])
  return { messageId: message.id, sequenceNumber: sequenceNumberOf(message.serial) }
}

/** Puts a new message into the queue and wakes who waits for it; keeping it is the caller's. */
function accept(store: Store, queue: Queue, draft: Draft, sizeBytes: number): Message {
  const nowMs = store.clock.now()
  const visibleAtMs = nowMs + (draft.delayMs ?? queue.settings.delayMs)
  const message: Message = {
    serial: store.nextSerial(),
    id: store.ids.uuid(),
    body: draft.body,
    sentAtMs: nowMs,
    sizeBytes,
    state: visibleAtMs > nowMs ? 'delayed' : 'ready',
    visibleAtMs,
    receiveCount: 0,
    firstReceivedAtMs: undefined,
    receiptHandle: undefined,
    receivedAtMs: 0,
    attributes: draft.attributes,
    groupId: draft.groupId,
    deduplicationId: draft.deduplicationId,
    traceHeader: draft.traceHeader,
    deadLetterSource: undefined,
  }
  put(queue, message)
  if (message.state === 'ready') queue.waiters.wake()
  else watchDue(store, queue)
  return message
}

function checkBody({ body, isVerbatim }: Draft, sizeBytes: number, maxBytes: number): void {
  if (body === '') throw missing('MessageBody')
  if (sizeBytes > maxBytes) {
    throw new QueueError(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`,
    )
  }
  if (!isVerbatim && hasForbidden(body)) {
    throw new QueueError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
    )
  }
}

/** @returns the deduplication id. */
function checkFifo(queue: Queue, draft: Draft): string {
  if (draft.groupId === undefined) throw missing('MessageGroupId')
  if (draft.delayMs !== undefined && draft.delayMs !== queue.settings.delayMs) {
    const reason = 'The request include parameter that is not valid for this queue type.'
    throw invalid('DelaySeconds', draft.delayMs / 1000, reason)
  }
  if (draft.deduplicationId !== undefined) return draft.deduplicationId
  if (queue.settings.deduplicatesByContent) return createHash('sha256').update(draft.body).digest('hex')
  throw new QueueError(
    'InvalidParameterValue',
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  )
}

function remembered(queue: Queue, key: string, nowMs: number): Remembered | undefined {
  // Entries lie in order of their end: the interval is the same for all.
  for (const [old, { untilMs }] of queue.memory) {
    if (untilMs > nowMs) break
    queue.memory.delete(old)
  }
  return queue.memory.get(key)
}

/** @throws QueueError */
export function readDelayMs(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined
  if (seconds >= 0 && seconds <= MAX_DELAY_SECONDS) return seconds * 1000
  throw invalid('DelaySeconds', seconds, `DelaySeconds must be >= 0 and <= ${MAX_DELAY_SECONDS}.`)
}
