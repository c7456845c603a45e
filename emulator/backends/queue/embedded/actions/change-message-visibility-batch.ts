import { type Action, NOTHING, queueOf } from '../action.ts'
import { runBatch } from '../batch.ts'
import { changeVisibility } from '../handle.ts'
import { requireText } from '../input.ts'
import { requireSeconds } from './change-message-visibility.ts'

export const changeMessageVisibilityBatch: Action = (call, input) => {
  const queue = queueOf(call, input)
  return runBatch(input, 'ChangeMessageVisibilityBatchRequestEntry', (entry) => {
    changeVisibility(call.store, queue, requireText(entry, 'ReceiptHandle'), requireSeconds(entry))
    return NOTHING
  })
}
