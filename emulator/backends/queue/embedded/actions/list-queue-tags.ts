import { type Action, queueOf } from '../action.ts'

export const listQueueTags: Action = (call, input) => {
  const { tags } = queueOf(call, input)
  return Object.keys(tags).length > 0 ? { Tags: tags } : {}
}
