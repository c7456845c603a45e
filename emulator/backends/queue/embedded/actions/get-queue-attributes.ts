import { type Action, queueOf } from '../action.ts'
import { QueueError } from '../errors.ts'
import { readTexts } from '../input.ts'
import type { Queue } from '../queue.ts'
import { withDefaults } from '../queue-settings.ts'

export const getQueueAttributes: Action = (call, input) => {
  const queue = queueOf(call, input)
  const names = readTexts(input, 'AttributeNames')
  const all = allAttributes(queue)
  const unknown = names.find((name) => name !== 'All' && !(name in all) && !KNOWN.has(name))
  if (unknown !== undefined) throw new QueueError('InvalidAttributeName', `Unknown Attribute ${unknown}.`)
  const isWanted = (name: string): boolean => names.includes('All') || names.includes(name)
  const found = Object.entries(all).filter(([name]) => isWanted(name))
  return found.length > 0 ? { Attributes: Object.fromEntries(found) } : {}
}

/** Those that a queue has only when they were set. */
const KNOWN: ReadonlySet<string> = new Set([
  'Policy',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
])

function allAttributes(queue: Queue): Record<string, string> {
  const seconds = (ms: number): string => String(Math.floor(ms / 1000))
  return {
    ...withDefaults(queue.attributes, queue.isFifo),
    QueueArn: queue.arn,
    CreatedTimestamp: seconds(queue.createdAtMs),
    LastModifiedTimestamp: seconds(queue.modifiedAtMs),
    ApproximateNumberOfMessages: String(queue.messages.size - queue.inFlightCount - queue.delayedCount),
    ApproximateNumberOfMessagesNotVisible: String(queue.inFlightCount),
    ApproximateNumberOfMessagesDelayed: String(queue.delayedCount),
  }
}
