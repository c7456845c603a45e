import { type Action, NOTHING, queueOf } from '../action.ts'
import { missing } from '../errors.ts'
import { readTextMap } from '../input.ts'
import { setAttributes } from '../queues.ts'

export const setQueueAttributes: Action = (call, input) => {
  const queue = queueOf(call, input)
  const attributes = readTextMap(input, 'Attributes')
  if (Object.keys(attributes).length === 0) throw missing('Attribute.Name')
  setAttributes(call.store, queue, attributes)
  return NOTHING
}
