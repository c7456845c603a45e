import { ACCOUNT_ID } from '../../port.ts'
import type { Action } from '../action.ts'
import { queueDoesNotExist } from '../errors.ts'
import { readText, requireText } from '../input.ts'
import { findQueue } from '../store.ts'

export const getQueueUrl: Action = (call, input) => {
  const queue = findQueue(call.store, requireText(input, 'QueueName'))
  const owner = readText(input, 'QueueOwnerAWSAccountId') ?? ACCOUNT_ID
  if (owner !== ACCOUNT_ID) throw queueDoesNotExist()
  return { QueueUrl: call.urlBase + queue.name }
}
