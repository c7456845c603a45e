import type { Message } from './message.ts'

/** In which order a queue gives out its messages, and which of them it holds back. Two kinds: standard and FIFO. */
export interface Order {
  /** A message came, visible or not. */
  arrive(message: Message): void
  /** It is visible from now on: after its delay, or again. */
  appear(message: Message, wasInFlight: boolean): void
  /** It is no longer in the queue. */
  leave(message: Message, wasInFlight: boolean): void
  /**
   * Up to `max` messages to give out. `admit` is asked about each in turn; one that it refuses has left the queue. They
   * count as in flight from now on.
   */
  take(max: number, admit: (message: Message) => boolean): Message[]
}
