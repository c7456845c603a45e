import { type Action, type Input, queueOf } from '../action.ts'
import { runBatch } from '../batch.ts'
import { QueueError } from '../errors.ts'
import { readAttributes, readEntries, readText } from '../input.ts'
import { MAX_MESSAGE_BYTES } from '../limits.ts'
import { sizeOf } from '../message.ts'
import { send } from '../send.ts'
import { readDraft, sentOutput } from './send-message.ts'

export const sendMessageBatch: Action = (call, input) => {
  const queue = queueOf(call, input)
  const totalBytes = readEntries(input, 'Entries').reduce((sum, entry) => sum + bytesOf(entry), 0)
  if (totalBytes > MAX_MESSAGE_BYTES) {
    throw new QueueError(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${MAX_MESSAGE_BYTES} bytes. You have sent ${totalBytes} bytes.`,
    )
  }
  return runBatch(input, 'SendMessageBatchRequestEntry', (entry) => {
    const draft = readDraft(call, entry)
    return sentOutput(draft, send(call.store, queue, draft))
  })
}

/** What an entry that is malformed weighs does not matter: it is refused by itself. */
function bytesOf(entry: Input): number {
  try {
    return sizeOf(readText(entry, 'MessageBody') ?? '', readAttributes(entry, 'MessageAttributes'))
  } catch {
    return 0
  }
}
