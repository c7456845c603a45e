import { QueueError, invalid } from './errors.ts'
import { NAME_REST_MS } from './limits.ts'
import { type Queue, createQueue } from './queue.ts'
import { type QueueAttributes, mergeAttributes, readSettings, withDefaults } from './queue-settings.ts'
import { type Store, arnOf, keepQueue, queueByArn } from './store.ts'

type Tags = Readonly<Record<string, string>>

/** Makes a queue, or finds the one that is as asked for. @throws QueueError */
export function makeQueue(store: Store, name: string, given: QueueAttributes, tags: Tags): Queue {
  const isFifo = name.endsWith('.fifo')
  if (!QUEUE_NAME.test(isFifo ? name.slice(0, -FIFO_SUFFIX.length) : name) || name.length > MAX_NAME) {
    throw new QueueError(
      'InvalidParameterValue',
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
    )
  }
  if (!isFifo && given['FifoQueue'] === 'true') {
    throw new QueueError('InvalidParameterValue', 'The fifo queue name must end in .fifo.')
  }
  if (isFifo && given['FifoQueue'] !== 'true') {
    throw invalid('QueueName', name, 'Can only include alphanumeric characters, hyphens, or underscores.')
  }
  const attributes = mergeAttributes({}, given, isFifo)
  const existing = store.queues.get(name)
  if (existing) return sameQueue(existing, given)
  const nowMs = store.clock.now()
  if ((store.resting.get(name) ?? 0) > nowMs) {
    throw new QueueError(
      'QueueDeletedRecently',
      `You must wait ${NAME_REST_MS / 1000} seconds after deleting a queue before you can create another with the same name.`,
    )
  }
  store.resting.delete(name)
  const queue = createQueue({
    uid: store.ids.hex(UID_BYTES),
    name,
    arn: arnOf(store.region, name),
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
    attributes,
    tags,
  })
  checkRedrive(store, queue, queue.settings)
  store.queues.set(name, queue)
  keepQueue(store, queue)
  return queue
}

const QUEUE_NAME = /^[\w-]{1,80}$/
const FIFO_SUFFIX = '.fifo'
const MAX_NAME = 80
const UID_BYTES = 8

/** Changes attributes; all of them or none. @throws QueueError */
export function setAttributes(store: Store, queue: Queue, given: QueueAttributes): void {
  if (given['FifoQueue'] !== undefined) throw new QueueError('InvalidAttributeName', 'Unknown Attribute FifoQueue.')
  const attributes = mergeAttributes(queue.attributes, given, queue.isFifo)
  const settings = readSettings(attributes, queue.isFifo)
  checkRedrive(store, queue, settings)
  queue.attributes = attributes
  queue.settings = settings
  queue.modifiedAtMs = store.clock.now()
  // A shorter retention may end messages at once.
  queue.expiryMs = 0
  keepQueue(store, queue)
}

export function setTags(store: Store, queue: Queue, tags: Tags): void {
  queue.tags = tags
  keepQueue(store, queue)
}

export function dropQueue(store: Store, queue: Queue): void {
  const nowMs = store.clock.now()
  store.queues.delete(queue.name)
  store.resting.set(queue.name, nowMs + NAME_REST_MS)
  store.journal.append(['drop', queue.uid, queue.name, nowMs])
}

function sameQueue(queue: Queue, given: QueueAttributes): Queue {
  const current = withDefaults(queue.attributes, queue.isFifo)
  for (const [name, value] of Object.entries(given)) {
    if (current[name] === value || (value === '' && current[name] === undefined)) continue
    throw new QueueError(
      'QueueNameExists',
      `A queue already exists with the same name and a different value for attribute ${name}`,
    )
  }
  return queue
}

/** The dead-letter queue must be there, of the same kind, and take letters from this one. */
function checkRedrive(store: Store, queue: Queue, { redrive }: Queue['settings']): void {
  if (!redrive) return
  const target = queueByArn(store, redrive.targetArn)
  const refuse = (reason: string): never => {
    throw invalid('RedrivePolicy', JSON.stringify(redrive), reason)
  }
  if (!target) return refuse('Dead letter target does not exist.')
  if (target.isFifo !== queue.isFifo) return refuse('Dead-letter queue must be same type of queue as the source.')
  const { permission, sourceArns } = target.settings.redriveAllow
  const isAllowed = permission === 'allowAll' || (permission === 'byQueue' && sourceArns.includes(queue.arn))
  if (!isAllowed) refuse('The dead-letter queue does not allow this queue to use it.')
}
