import { type DueHeap, createDueHeap } from './due-heap.ts'
import { createFifoOrder } from './fifo-order.ts'
import { type Messages, createMessages } from './messages.ts'
import type { Order } from './order.ts'
import { createPacker } from './packed-message.ts'
import { type QueueAttributes, type QueueSettings, readSettings } from './queue-settings.ts'
import { createStandardOrder } from './standard-order.ts'
import { type Waiters, createWaiters } from './waiters.ts'

/** One queue: its settings, its messages and who waits for them. */
export interface Queue {
  /** Of this queue alone; another one with the same name later has another. */
  readonly uid: string
  readonly name: string
  readonly arn: string
  readonly isFifo: boolean
  readonly createdAtMs: number
  modifiedAtMs: number
  /** Those that were set; the rest has its default. */
  attributes: QueueAttributes
  settings: QueueSettings
  tags: Readonly<Record<string, string>>
  purgedAtMs: number | undefined
  readonly messages: Messages
  readonly order: Order
  /** When delayed messages and those in flight become visible. */
  readonly due: DueHeap
  delayedCount: number
  inFlightCount: number
  /** No message expires before. */
  expiryMs: number
  /** Whether messages lie in order of when they were sent; not so where others' dead letters come. */
  isSorted: boolean
  readonly memory: Map<string, Remembered>
  readonly attempts: Map<string, Attempt>
  readonly waiters: Waiters
}

/** What was sent to a FIFO queue, by its deduplication id. */
export interface Remembered {
  readonly messageId: string
  readonly serial: number
  readonly untilMs: number
}

/** What a receive with an attempt id was answered. */
export interface Attempt {
  readonly serials: readonly number[]
  readonly untilMs: number
}

export interface QueueBirth {
  readonly uid: string
  readonly name: string
  readonly arn: string
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly attributes: QueueAttributes
  readonly tags: Readonly<Record<string, string>>
}

/** @throws QueueError when an attribute has the wrong form. */
export function createQueue(birth: QueueBirth): Queue {
  const isFifo = birth.name.endsWith('.fifo')
  const messages = createMessages(isFifo ? undefined : createPacker())
  return {
    ...birth,
    isFifo,
    settings: readSettings(birth.attributes, isFifo),
    purgedAtMs: undefined,
    messages,
    order: isFifo ? createFifoOrder() : createStandardOrder(messages),
    due: createDueHeap(),
    delayedCount: 0,
    inFlightCount: 0,
    expiryMs: Number.POSITIVE_INFINITY,
    isSorted: true,
    memory: new Map(),
    attempts: new Map(),
    waiters: createWaiters(),
  }
}
