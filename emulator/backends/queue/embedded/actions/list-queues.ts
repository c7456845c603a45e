import type { Action } from '../action.ts'
import { readText } from '../input.ts'
import { pageOf } from '../page.ts'

export const listQueues: Action = (call, input) => {
  const prefix = readText(input, 'QueueNamePrefix') ?? ''
  const names = [...call.store.queues.keys()].filter((name) => name.startsWith(prefix))
  const { page, nextToken } = pageOf(names, input)
  return {
    ...(page.length > 0 ? { QueueUrls: page.map((name) => call.urlBase + name) } : {}),
    ...(nextToken === undefined ? {} : { NextToken: nextToken }),
  }
}
