import type { Action, Output } from '../action.ts'
import { QueueError } from '../errors.ts'
import { readIntegerBetween, requireText } from '../input.ts'
import type { MoveTask } from '../move-task.ts'
import { queueByArn } from '../store.ts'

const MAX_TASKS = 10

export const listMessageMoveTasks: Action = ({ store }, input) => {
  const sourceArn = requireText(input, 'SourceArn')
  const max = readIntegerBetween(input, 'MaxResults', 1, MAX_TASKS) ?? 1
  if (!queueByArn(store, sourceArn)) {
    throw new QueueError(
      'ResourceNotFoundException',
      "The resource that you specified for the SourceArn doesn't exist.",
    )
  }
  const tasks = store.moveTasks.filter((task) => task.sourceArn === sourceArn)
  return { Results: tasks.slice(0, max).map(taskOutput) }
}

function taskOutput(task: MoveTask): Output {
  return {
    // Only a task that can still be cancelled shows its handle.
    ...(task.status === 'RUNNING' ? { TaskHandle: task.handle } : {}),
    Status: task.status,
    SourceArn: task.sourceArn,
    ...(task.destinationArn === undefined ? {} : { DestinationArn: task.destinationArn }),
    ...(task.maxPerSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.maxPerSecond }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(task.failureReason === undefined ? {} : { FailureReason: task.failureReason }),
    StartedTimestamp: task.startedAtMs,
  }
}
