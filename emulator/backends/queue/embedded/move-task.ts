import { move } from './dead-letter.ts'
import type { Queue } from './queue.ts'
import { refresh } from './shelf.ts'
import { type Store, queueByArn } from './store.ts'

/** Moves the messages of a dead-letter queue on. It lives as long as the process; what it has moved stays moved. */
export interface MoveTask {
  readonly handle: string
  readonly sourceArn: string
  /** Undefined: each message goes back to where it came from. */
  readonly destinationArn: string | undefined
  readonly maxPerSecond: number | undefined
  readonly toMove: number
  readonly startedAtMs: number
  moved: number
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLING' | 'CANCELLED' | 'FAILED'
  failureReason: string | undefined
}

/** Messages a second without a limit of the caller's. */
const DEFAULT_PER_SECOND = 500
const STEP_MS = 100

/** Moves a tenth of a second's messages now and the rest later. */
export function runMoveTask(store: Store, source: Queue, task: MoveTask): void {
  if (task.status === 'CANCELLING') {
    task.status = 'CANCELLED'
    return
  }
  const perSecond = task.maxPerSecond ?? DEFAULT_PER_SECOND
  // Slow tasks take one message a step, and longer steps.
  const count = Math.max(1, Math.floor((perSecond * STEP_MS) / 1000))
  for (let moved = 0; moved < count && task.moved < task.toMove; moved += 1) {
    const outcome = moveOne(store, source, task)
    if (outcome === 'moved') continue
    task.status = outcome === 'empty' ? 'COMPLETED' : 'FAILED'
    if (outcome === 'no destination') task.failureReason = 'AWS.SimpleQueueService.NonExistentQueue'
    return
  }
  if (task.moved >= task.toMove) {
    task.status = 'COMPLETED'
    return
  }
  store.clock.after((count * 1000) / perSecond, () => runMoveTask(store, source, task))
}

function moveOne(store: Store, source: Queue, task: MoveTask): 'moved' | 'empty' | 'no destination' {
  refresh(source, store.clock.now())
  let outcome: 'moved' | 'empty' | 'no destination' = 'empty'
  // A message that is moved is refused here: it leaves the queue without having been received.
  for (const message of source.messages.values()) {
    if (message.state !== 'ready') continue
    const arn = task.destinationArn ?? message.deadLetterSource
    const target = arn === undefined ? undefined : queueByArn(store, arn)
    if (!target) return 'no destination'
    const { sentAtMs } = message
    move(store, source, message, target, {
      id: store.ids.uuid(),
      sentAtMs: target.isFifo ? store.clock.now() : sentAtMs,
      deadLetterSource: undefined,
      receiveCount: 0,
    })
    task.moved += 1
    outcome = 'moved'
    break
  }
  return outcome
}
