import { type Action, NOTHING, queueOf } from '../action.ts'
import { missing } from '../errors.ts'
import { readTexts } from '../input.ts'
import { setTags } from '../queues.ts'

export const untagQueue: Action = (call, input) => {
  const queue = queueOf(call, input)
  const keys = readTexts(input, 'TagKeys')
  if (keys.length === 0) throw missing('TagKeys')
  setTags(call.store, queue, Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !keys.includes(key))))
  return NOTHING
}
