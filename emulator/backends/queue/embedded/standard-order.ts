import { createDeque } from './deque.ts'
import type { Message } from './message.ts'
import type { Messages } from './messages.ts'
import type { Order } from './order.ts'

/** First visible, first out. */
export function createStandardOrder(messages: Pick<Messages, 'get'>): Order {
  /** By serial number. */
  const visible = createDeque<number>()
  return {
    arrive: () => {},
    appear: ({ serial }) => visible.push(serial),
    // What left while it was visible is skipped when its turn comes.
    leave: () => {},
    take(max, admit) {
      const taken: Message[] = []
      while (taken.length < max) {
        const serial = visible.shift()
        if (serial === undefined) break
        const message = messages.get(serial)
        if (message?.state === 'ready' && admit(message)) taken.push(message)
      }
      return taken
    },
  }
}
