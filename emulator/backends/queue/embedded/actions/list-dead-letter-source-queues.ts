import { type Action, queueOf } from '../action.ts'
import { sourcesOf } from '../dead-letter.ts'
import { pageOf } from '../page.ts'

export const listDeadLetterSourceQueues: Action = (call, input) => {
  const names = sourcesOf(call.store, queueOf(call, input)).map((queue) => queue.name)
  const { page, nextToken } = pageOf(names, input)
  return {
    // The API's model spells this list in lower case.
    queueUrls: page.map((name) => call.urlBase + name),
    ...(nextToken === undefined ? {} : { NextToken: nextToken }),
  }
}
