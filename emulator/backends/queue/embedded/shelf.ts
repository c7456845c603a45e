import type { Message } from './message.ts'
import type { Queue } from './queue.ts'

/** Puts a message into its queue; it is visible at once, or at `visibleAtMs`. */
export function put(queue: Queue, message: Message): void {
  queue.messages.add(message)
  const expiryMs = message.sentAtMs + queue.settings.retentionMs
  if (expiryMs < queue.expiryMs) queue.expiryMs = expiryMs
  queue.order.arrive(message)
  if (message.state === 'delayed') {
    queue.delayedCount += 1
    queue.due.push({ at: message.visibleAtMs, serial: message.serial })
    return
  }
  queue.order.appear(message, false)
}

/** Hides it until `visibleAtMs`. */
export function hide(queue: Queue, message: Message, visibleAtMs: number): void {
  if (message.state !== 'inFlight') queue.inFlightCount += 1
  message.state = 'inFlight'
  message.visibleAtMs = visibleAtMs
  queue.due.push({ at: visibleAtMs, serial: message.serial })
}

/** Ends its delay or its flight. */
export function show(queue: Queue, message: Message): void {
  const wasInFlight = message.state === 'inFlight'
  if (wasInFlight) queue.inFlightCount -= 1
  else queue.delayedCount -= 1
  message.state = 'ready'
  queue.order.appear(message, wasInFlight)
}

export function remove(queue: Queue, message: Message): void {
  const wasInFlight = message.state === 'inFlight'
  if (wasInFlight) queue.inFlightCount -= 1
  if (message.state === 'delayed') queue.delayedCount -= 1
  message.state = 'gone'
  queue.messages.delete(message.serial)
  queue.order.leave(message, wasInFlight)
}

/** Brings the queue up to `nowMs`: what is due appears, what is too old goes. Every look at a queue starts with it. */
export function refresh(queue: Queue, nowMs: number): void {
  for (let due = queue.due.top; due && due.at <= nowMs; due = queue.due.top) {
    queue.due.pop()
    const message = dueMessage(queue, due.serial, due.at)
    if (message) show(queue, message)
  }
  if (nowMs >= queue.expiryMs) expire(queue, nowMs)
}

/** When the next hidden message appears. */
export function nextDueMs(queue: Queue): number | undefined {
  for (let due = queue.due.top; due; due = queue.due.top) {
    if (dueMessage(queue, due.serial, due.at)) return due.at
    queue.due.pop()
  }
}

/** The message, unless it has been deleted, shown or hidden anew since. */
function dueMessage(queue: Queue, serial: number, at: number): Message | undefined {
  const message = queue.messages.get(serial)
  const isHidden = message?.state === 'delayed' || message?.state === 'inFlight'
  return isHidden && message.visibleAtMs === at ? message : undefined
}

function expire(queue: Queue, nowMs: number): void {
  queue.expiryMs = Number.POSITIVE_INFINITY
  for (const message of queue.messages.values()) {
    const expiryMs = message.sentAtMs + queue.settings.retentionMs
    if (expiryMs <= nowMs) {
      remove(queue, message)
      continue
    }
    if (expiryMs < queue.expiryMs) queue.expiryMs = expiryMs
    if (queue.isSorted) break
  }
}
