import type { Action } from '../action.ts'
import { QueueError } from '../errors.ts'
import { requireText } from '../input.ts'

export const cancelMessageMoveTask: Action = ({ store }, input) => {
  const handle = requireText(input, 'TaskHandle')
  const task = store.moveTasks.find((candidate) => candidate.handle === handle)
  if (!task) throw new QueueError('ResourceNotFoundException', 'Task does not exist.')
  if (task.status !== 'RUNNING') {
    throw new QueueError('UnsupportedOperation', 'Only active tasks can be cancelled.')
  }
  // Its next step sees it.
  task.status = 'CANCELLING'
  return { ApproximateNumberOfMessagesMoved: task.moved }
}
