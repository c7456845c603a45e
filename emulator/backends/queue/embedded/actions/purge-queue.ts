import { type Action, NOTHING, queueOf } from '../action.ts'
import { QueueError } from '../errors.ts'
import { PURGE_INTERVAL_MS } from '../limits.ts'
import { removeBelow } from '../store.ts'

/** At once, where the cloud takes up to a minute. */
export const purgeQueue: Action = ({ store, ...call }, input) => {
  const queue = queueOf({ store, ...call }, input)
  const nowMs = store.clock.now()
  if (queue.purgedAtMs !== undefined && nowMs < queue.purgedAtMs + PURGE_INTERVAL_MS) {
    throw new QueueError(
      'PurgeQueueInProgress',
      `Only one PurgeQueue operation on ${queue.name} is allowed every ${PURGE_INTERVAL_MS / 1000} seconds.`,
    )
  }
  queue.purgedAtMs = nowMs
  const below = store.nextSerial()
  removeBelow(queue, below)
  store.journal.append(['purge', queue.uid, below])
  return NOTHING
}
