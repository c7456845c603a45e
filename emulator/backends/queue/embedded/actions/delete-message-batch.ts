import { type Action, NOTHING, queueOf } from '../action.ts'
import { runBatch } from '../batch.ts'
import { deleteByHandle } from '../handle.ts'
import { requireText } from '../input.ts'

export const deleteMessageBatch: Action = (call, input) => {
  const queue = queueOf(call, input)
  return runBatch(input, 'DeleteMessageBatchRequestEntry', (entry) => {
    deleteByHandle(call.store, queue, requireText(entry, 'ReceiptHandle'))
    return NOTHING
  })
}
