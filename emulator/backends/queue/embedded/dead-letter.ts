import type { Message } from './message.ts'
import type { Queue } from './queue.ts'
import { put, remove } from './shelf.ts'
import { type Store, keptMessage, queueByArn } from './store.ts'

/** Moves a message that was received too often. @returns false when its dead-letter queue is not there (any more). */
export function moveToDeadLetters(store: Store, source: Queue, message: Message, targetArn: string): boolean {
  const target = queueByArn(store, targetArn)
  if (!target) return false
  // Retention runs on in a standard queue and starts again in a FIFO queue.
  move(store, source, message, target, {
    sentAtMs: source.isFifo ? store.clock.now() : message.sentAtMs,
    deadLetterSource: source.arn,
  })
  return true
}

/** What of a message changes with its queue. */
export type Moved = Partial<Pick<Message, 'id' | 'sentAtMs' | 'deadLetterSource' | 'receiveCount'>>

export function move(store: Store, source: Queue, message: Message, target: Queue, change: Moved): void {
  const moved: Message = {
    ...message,
    firstReceivedAtMs: undefined,
    ...change,
    serial: store.nextSerial(),
    state: 'ready',
    visibleAtMs: 0,
    receiptHandle: undefined,
    receivedAtMs: 0,
  }
  if (moved.sentAtMs < store.clock.now()) target.isSorted = false
  put(target, moved)
  // In this order: a crash between the two lines leaves two of it, not none.
  store.journal.append(['send', target.uid, keptMessage(moved)])
  remove(source, message)
  store.journal.append(['remove', source.uid, message.serial])
  target.waiters.wake()
}

/** Queues whose dead letters go to `target`. */
export function sourcesOf(store: Store, target: Queue): Queue[] {
  return [...store.queues.values()].filter((queue) => queue.settings.redrive?.targetArn === target.arn)
}
