import { type Action, NOTHING, queueOf } from '../action.ts'
import { deleteByHandle } from '../handle.ts'
import { requireText } from '../input.ts'

export const deleteMessage: Action = (call, input) => {
  deleteByHandle(call.store, queueOf(call, input), requireText(input, 'ReceiptHandle'))
  return NOTHING
}
