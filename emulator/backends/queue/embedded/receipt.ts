import { QueueError } from './errors.ts'
import type { Message } from './message.ts'
import type { Queue } from './queue.ts'

/** Names one receive of one message. Opaque to clients; it still names the message after a restart. */
export function receiptHandleOf(queue: Queue, message: Message, nonce: string): string {
  return Buffer.from(`${queue.uid} ${message.serial} ${nonce}`).toString('base64')
}

/** Serial number of the message that a handle of this queue names. @throws QueueError when it is none. */
export function readReceiptHandle(queue: Queue, handle: string): number {
  const [uid, serial, nonce] = Buffer.from(handle, 'base64').toString().split(' ')
  if (uid === queue.uid && nonce !== undefined && serial !== undefined && /^\d+$/.test(serial)) return Number(serial)
  throw new QueueError('ReceiptHandleIsInvalid', `The input receipt handle "${handle}" is not a valid receipt handle.`)
}

/** Whether the message has been received with it and not again since. After a restart nobody knows of later ones. */
export function isLatest(message: Message, handle: string): boolean {
  return message.receiptHandle === undefined || message.receiptHandle === handle
}
