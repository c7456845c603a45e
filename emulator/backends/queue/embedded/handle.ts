import { QueueError, invalid } from './errors.ts'
import { MAX_VISIBILITY_SECONDS } from './limits.ts'
import type { Queue } from './queue.ts'
import { isLatest, readReceiptHandle } from './receipt.ts'
import { watchDue } from './receive.ts'
import { hide, remove, show } from './shelf.ts'
import type { Store } from './store.ts'

/**
 * Deletes the message that a receipt handle names. One that is gone is no error. In a standard queue an older handle of
 * a message that was received again succeeds without effect; in a FIFO queue a handle is good while its visibility
 * timeout runs. @throws QueueError
 */
export function deleteByHandle(store: Store, queue: Queue, handle: string): void {
  const message = queue.messages.get(readReceiptHandle(queue, handle))
  if (!message) return
  if (queue.isFifo && (message.state !== 'inFlight' || !isLatest(message, handle))) {
    throw invalid('ReceiptHandle', handle, 'The receipt handle has expired.')
  }
  if (!isLatest(message, handle)) return
  remove(queue, message)
  store.journal.append(['remove', queue.uid, message.serial])
  // The next of its group may be free now.
  if (queue.isFifo) queue.waiters.wake()
}

/** Hides a message for `seconds` from now, or shows it with 0. @throws QueueError */
export function changeVisibility(store: Store, queue: Queue, handle: string, seconds: number): void {
  if (!(seconds >= 0 && seconds <= MAX_VISIBILITY_SECONDS)) {
    const reason = `VisibilityTimeout must be an integer between 0 and ${MAX_VISIBILITY_SECONDS}.`
    throw invalid('VisibilityTimeout', seconds, reason)
  }
  const message = queue.messages.get(readReceiptHandle(queue, handle))
  if (!message || !isLatest(message, handle)) {
    const reason = 'Message does not exist or is not available for visibility timeout change.'
    throw invalid('ReceiptHandle', handle, reason)
  }
  if (message.state !== 'inFlight') {
    throw new QueueError('MessageNotInflight', "The message referred to isn't in flight.")
  }
  const nowMs = store.clock.now()
  if (nowMs + seconds * 1000 > message.receivedAtMs + MAX_VISIBILITY_SECONDS * 1000) {
    const reason = `Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_SECONDS} seconds].`
    throw invalid('VisibilityTimeout', seconds, reason)
  }
  if (seconds > 0) {
    hide(queue, message, nowMs + seconds * 1000)
    return watchDue(store, queue)
  }
  show(queue, message)
  queue.waiters.wake()
}
