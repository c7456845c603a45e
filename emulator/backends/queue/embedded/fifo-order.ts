import { createDeque } from './deque.ts'
import type { Message } from './message.ts'
import type { Order } from './order.ts'

interface Group {
  readonly id: string
  /** All of it by serial number, those in flight too. */
  readonly messages: Map<number, Message>
  /** The group is locked while it is not zero. */
  inFlight: number
  isQueued: boolean
}

/**
 * Messages of a group in the order they were sent, several of them in one receive, none while one of the group is in
 * flight. Groups take turns.
 */
export function createFifoOrder(): Order {
  const groups = new Map<string, Group>()
  const open = createDeque<Group>()

  function groupOf({ groupId = '' }: Message): Group {
    let group = groups.get(groupId)
    if (!group) {
      group = { id: groupId, messages: new Map(), inFlight: 0, isQueued: false }
      groups.set(groupId, group)
    }
    return group
  }

  function offer(group: Group): void {
    if (group.isQueued || group.inFlight > 0 || group.messages.size === 0) return
    group.isQueued = true
    open.push(group)
  }

  function takeFrom(group: Group, max: number, admit: (message: Message) => boolean): Message[] {
    const taken: Message[] = []
    for (const message of group.messages.values()) {
      // One that is delayed holds up those behind it.
      if (taken.length === max || message.state !== 'ready') break
      if (admit(message)) taken.push(message)
    }
    group.inFlight += taken.length
    return taken
  }

  return {
    arrive: (message) => {
      groupOf(message).messages.set(message.serial, message)
    },
    appear(message, wasInFlight) {
      const group = groupOf(message)
      if (wasInFlight) group.inFlight -= 1
      offer(group)
    },
    leave(message, wasInFlight) {
      const group = groupOf(message)
      group.messages.delete(message.serial)
      if (wasInFlight) group.inFlight -= 1
      if (group.messages.size === 0) groups.delete(group.id)
      else offer(group)
    },
    take(max, admit) {
      const taken: Message[] = []
      while (taken.length < max) {
        const group = open.shift()
        if (!group) break
        group.isQueued = false
        if (group.inFlight > 0) continue
        taken.push(...takeFrom(group, max - taken.length, admit))
      }
      return taken
    },
  }
}
