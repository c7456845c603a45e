import { ACCOUNT_ID } from '../port.ts'
import { sequenceNumberOf } from './message.ts'
import type { Delivery } from './receive.ts'

export const SYSTEM_ATTRIBUTES: readonly string[] = [
  'SenderId',
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'SequenceNumber',
  'MessageDeduplicationId',
  'MessageGroupId',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
]

/** All that a delivery has. */
export function systemAttributes({ message, receiveCount }: Delivery): Record<string, string> {
  const { groupId, deduplicationId, traceHeader, deadLetterSource } = message
  return {
    // Everybody is the account itself: nothing signs in here.
    SenderId: ACCOUNT_ID,
    SentTimestamp: String(message.sentAtMs),
    ApproximateReceiveCount: String(receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
    ...(deduplicationId === undefined
      ? {}
      : { MessageDeduplicationId: deduplicationId, SequenceNumber: sequenceNumberOf(message.serial) }),
    ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
    ...(traceHeader === undefined ? {} : { AWSTraceHeader: traceHeader }),
    ...(deadLetterSource === undefined ? {} : { DeadLetterQueueSourceArn: deadLetterSource }),
  }
}
