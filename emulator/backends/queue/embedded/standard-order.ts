import { createDeque } from './deque.ts'
import type { Message } from './message.ts'
import type { Order } from './order.ts'

/** First visible, first out. */
export function createStandardOrder(): Order {
  const visible = createDeque<Message>()
  return {
    arrive: () => {},
    appear: (message) => visible.push(message),
    // What left while it was visible is skipped when its turn comes.
    leave: () => {},
    take(max, admit) {
      const taken: Message[] = []
      while (taken.length < max) {
        const message = visible.shift()
        if (!message) break
        if (message.state === 'ready' && admit(message)) taken.push(message)
      }
      return taken
    },
  }
}
