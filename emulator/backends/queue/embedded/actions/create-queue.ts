import type { Action } from '../action.ts'
import { readTextMap, requireText } from '../input.ts'
import { makeQueue } from '../queues.ts'

export const createQueue: Action = (call, input) => {
  const name = requireText(input, 'QueueName')
  // The API's model spells this one in lower case.
  const queue = makeQueue(call.store, name, readTextMap(input, 'Attributes'), readTextMap(input, 'tags'))
  return { QueueUrl: call.urlBase + queue.name }
}
