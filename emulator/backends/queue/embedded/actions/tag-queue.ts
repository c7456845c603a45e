import { type Action, NOTHING, queueOf } from '../action.ts'
import { QueueError, missing } from '../errors.ts'
import { readTextMap } from '../input.ts'
import { MAX_TAGS } from '../limits.ts'
import { setTags } from '../queues.ts'

export const tagQueue: Action = (call, input) => {
  const queue = queueOf(call, input)
  const added = readTextMap(input, 'Tags')
  if (Object.keys(added).length === 0) throw missing('Tags')
  const tags = { ...queue.tags, ...added }
  if (Object.keys(tags).length > MAX_TAGS) {
    throw new QueueError('InvalidParameterValue', `Too many tags added for queue ${queue.name}.`)
  }
  setTags(call.store, queue, tags)
  return NOTHING
}
