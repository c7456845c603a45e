import type { Action } from '../action.ts'
import { sourcesOf } from '../dead-letter.ts'
import { QueueError } from '../errors.ts'
import { readIntegerBetween, readText, requireText } from '../input.ts'
import { type MoveTask, runMoveTask } from '../move-task.ts'
import { findQueue, queueByArn } from '../store.ts'

const MAX_PER_SECOND = 500

export const startMessageMoveTask: Action = ({ store }, input) => {
  const sourceArn = requireText(input, 'SourceArn')
  const destinationArn = readText(input, 'DestinationArn')
  const maxPerSecond = readIntegerBetween(input, 'MaxNumberOfMessagesPerSecond', 1, MAX_PER_SECOND)
  const source = queueByArn(store, sourceArn)
  if (!source || (destinationArn !== undefined && !queueByArn(store, destinationArn))) {
    throw new QueueError('ResourceNotFoundException', "The resource that you specified for the ARN doesn't exist.")
  }
  if (sourcesOf(store, source).length === 0) {
    throw new QueueError('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.')
  }
  if (store.moveTasks.some((task) => task.sourceArn === sourceArn && task.status === 'RUNNING')) {
    throw new QueueError(
      'UnsupportedOperation',
      'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
    )
  }
  const { messages } = findQueue(store, source.name)
  const id = { taskId: store.ids.uuid(), sourceArn }
  const task: MoveTask = {
    handle: Buffer.from(JSON.stringify(id)).toString('base64'),
    sourceArn,
    destinationArn,
    maxPerSecond,
    toMove: messages.size,
    startedAtMs: store.clock.now(),
    moved: 0,
    status: 'RUNNING',
    failureReason: undefined,
  }
  store.moveTasks.unshift(task)
  store.clock.after(0, () => runMoveTask(store, source, task))
  return { TaskHandle: task.handle }
}
