import { moveToDeadLetters } from './dead-letter.ts'
import { MAX_IN_FLIGHT } from './limits.ts'
import type { Message } from './message.ts'
import type { Queue } from './queue.ts'
import { receiptHandleOf } from './receipt.ts'
import { hide, nextDueMs, refresh } from './shelf.ts'
import type { Store } from './store.ts'

export interface ReceiveRequest {
  readonly max: number
  /** The queue's own when undefined. */
  readonly visibilityMs: number | undefined
  readonly waitMs: number
  /** Aborted when nobody is there any more to take the answer. */
  readonly signal: AbortSignal
  readonly attemptId?: string | undefined
}

/** A message as of one receive. */
export interface Delivery {
  readonly message: Message
  readonly receiptHandle: string
  readonly receiveCount: number
}

/** At once what there is; otherwise as soon as there is something, or nothing when `waitMs` are over. */
export function receive(store: Store, queue: Queue, request: ReceiveRequest): Delivery[] | Promise<Delivery[]> {
  const deliveries = takeNow(store, queue, request)
  if (deliveries.length > 0 || request.waitMs === 0 || request.signal.aborted) return deliveries
  return new Promise((resolve) => {
    const finish = (found: Delivery[]): void => {
      queue.waiters.delete(waiter)
      request.signal.removeEventListener('abort', leave)
      timer.cancel()
      resolve(found)
    }
    const leave = (): void => finish([])
    const waiter = {
      serve(): boolean {
        const found = takeNow(store, queue, request)
        if (found.length === 0) return false
        finish(found)
        return true
      },
    }
    const timer = store.clock.after(request.waitMs, leave)
    request.signal.addEventListener('abort', leave, { once: true })
    queue.waiters.add(waiter)
    watchDue(store, queue)
  })
}

/** Whoever waits is woken when the next hidden message appears. */
export function watchDue(store: Store, queue: Queue): void {
  const { waiters } = queue
  if (waiters.size === 0) return
  const at = nextDueMs(queue)
  if (waiters.alarm?.at === at) return
  waiters.alarm?.timer.cancel()
  waiters.alarm = undefined
  if (at === undefined) return
  const ring = (): void => {
    waiters.alarm = undefined
    waiters.wake()
    watchDue(store, queue)
  }
  waiters.alarm = { at, timer: store.clock.after(at - store.clock.now(), ring) }
}

function takeNow(store: Store, queue: Queue, request: ReceiveRequest): Delivery[] {
  const nowMs = store.clock.now()
  refresh(queue, nowMs)
  const visibleAtMs = nowMs + (request.visibilityMs ?? queue.settings.visibilityMs)
  const messages =
    repeated(queue, request.attemptId, nowMs) ??
    queue.order.take(Math.min(request.max, MAX_IN_FLIGHT - queue.inFlightCount), (message) =>
      admit(store, queue, message),
    )
  const deliveries = messages.map((message) => deliver(store, queue, message, visibleAtMs))
  if (request.attemptId !== undefined && messages.length > 0) {
    const serials = messages.map((message) => message.serial)
    queue.attempts.set(request.attemptId, { serials, untilMs: nowMs + ATTEMPT_MS })
  }
  if (messages.length > 0) watchDue(store, queue)
  return deliveries
}

/** How long a receive can be repeated by its attempt id. */
const ATTEMPT_MS = 300_000

/** Whether a message may be given out once more; it goes to the dead letters otherwise. */
function admit(store: Store, queue: Queue, message: Message): boolean {
  const { redrive } = queue.settings
  if (!redrive || message.receiveCount < redrive.maxReceiveCount) return true
  return !moveToDeadLetters(store, queue, message, redrive.targetArn)
}

function deliver(store: Store, queue: Queue, message: Message, visibleAtMs: number): Delivery {
  const nowMs = store.clock.now()
  message.receiveCount += 1
  message.firstReceivedAtMs ??= nowMs
  message.receivedAtMs = nowMs
  const receiptHandle = receiptHandleOf(queue, message, store.ids.hex(RECEIPT_BYTES))
  message.receiptHandle = receiptHandle
  hide(queue, message, visibleAtMs)
  return { message, receiptHandle, receiveCount: message.receiveCount }
}

const RECEIPT_BYTES = 8

/**
 * The messages of an earlier receive with this attempt id, when all of them are still as it left them: its answer may
 * not have arrived.
 */
function repeated(queue: Queue, attemptId: string | undefined, nowMs: number): Message[] | undefined {
  for (const [old, { untilMs }] of queue.attempts) {
    if (untilMs > nowMs) break
    queue.attempts.delete(old)
  }
  const attempt = attemptId === undefined ? undefined : queue.attempts.get(attemptId)
  if (!attempt) return undefined
  const messages: Message[] = []
  for (const serial of attempt.serials) {
    const message = queue.messages.get(serial)
    if (message?.state === 'inFlight') messages.push(message)
  }
  return messages.length === attempt.serials.length ? messages : undefined
}
