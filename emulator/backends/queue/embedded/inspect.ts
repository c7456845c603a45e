import type { Message } from './message.ts'
import { findQueue, type Store } from './store.ts'

/** A queue as somebody sees it who does not receive from it. */
export interface QueueInspection {
  readonly name: string
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
  /** Of its oldest message; undefined when it is empty. */
  readonly oldestAgeMs: number | undefined
}

export interface PeekedMessage {
  readonly messageId: string
  readonly body: string
  readonly state: Message['state']
  readonly sentAtMs: number
  /** When it appears, unless it is visible already. */
  readonly visibleAtMs: number
  readonly receiveCount: number
  readonly groupId: string | undefined
}

/** Every queue, in order of their names. Receives nothing and hides nothing. */
export function inspectQueues(store: Store): QueueInspection[] {
  return [...store.queues.keys()].sort().map((name) => {
    const { messages, inFlightCount, delayedCount, isSorted } = findQueue(store, name)
    let oldestMs = Number.POSITIVE_INFINITY
    for (const { sentAtMs } of messages.values()) {
      oldestMs = Math.min(oldestMs, sentAtMs)
      if (isSorted) break
    }
    return {
      name,
      visible: messages.size - inFlightCount - delayedCount,
      inFlight: inFlightCount,
      delayed: delayedCount,
      oldestAgeMs: messages.size === 0 ? undefined : store.clock.now() - oldestMs,
    }
  })
}

/** Up to `max` messages of a queue, in the order they were sent. @throws QueueError when it is not there. */
export function peekMessages(store: Store, name: string, max: number): PeekedMessage[] {
  const peeked: PeekedMessage[] = []
  for (const message of findQueue(store, name).messages.values()) {
    if (peeked.length === max) break
    const { id, body, state, sentAtMs, visibleAtMs, receiveCount, groupId } = message
    peeked.push({ messageId: id, body, state, sentAtMs, visibleAtMs, receiveCount, groupId })
  }
  return peeked
}
