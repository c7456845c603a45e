import { type Action, NOTHING, queueOf } from '../action.ts'
import { dropQueue } from '../queues.ts'

export const deleteQueue: Action = (call, input) => {
  dropQueue(call.store, queueOf(call, input))
  return NOTHING
}
