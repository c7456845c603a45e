import type { Message } from './message.ts'
import { type Block, type Packer, isBlock, sizeOfPacked, unpack } from './packed-message.ts'

/** The messages of a queue by their serial numbers, in which they come. */
export interface Messages {
  readonly size: number
  /** Of all of them, as limits count bytes. */
  readonly sizeBytes: number
  get(serial: number): Message | undefined
  /** Takes a message whose serial number is higher than all before. */
  add(message: Message): void
  delete(serial: number): void
  /** In order of their serial numbers, to be read or removed: a change would not be seen by others. */
  values(): Iterable<Message>
}

/** Numbers in a row have a page: a hash table of millions costs more with every message, and stands still when it grows. */
interface Page {
  count: number
  /** What has been looked at since it came, and what cannot be packed; of others the memory they are packed in. */
  readonly slots: (Message | Block | undefined)[]
  /** Where in that memory. */
  readonly starts: number[]
}

const PAGE_SIZE = 64

/** @param packer of a queue whose other parts know messages by their numbers; it packs what only waits */
export function createMessages(packer: Packer | undefined): Messages {
  const pages = new Map<number, Page>()
  let newest: Page | undefined
  let newestNumber = Number.NaN
  let size = 0
  let sizeBytes = 0

  function pageFor(serial: number): Page {
    const number = Math.floor(serial / PAGE_SIZE)
    if (newest && number === newestNumber) return newest
    if (newest?.count === 0) pages.delete(newestNumber)
    newest = {
      count: 0,
      slots: Array<Page['slots'][number]>(PAGE_SIZE).fill(undefined),
      starts: Array<number>(PAGE_SIZE).fill(0),
    }
    newestNumber = number
    pages.set(number, newest)
    return newest
  }

  function* values(): Iterable<Message> {
    for (const [number, { slots, starts }] of pages) {
      for (const [index, slot] of slots.entries()) {
        if (slot) yield isBlock(slot) ? unpack(slot, starts[index] ?? 0, number * PAGE_SIZE + index) : slot
      }
    }
  }

  return {
    get size() {
      return size
    },
    get sizeBytes() {
      return sizeBytes
    },
    get(serial) {
      const page = pages.get(Math.floor(serial / PAGE_SIZE))
      if (!page) return undefined
      const index = serial % PAGE_SIZE
      const slot = page.slots[index]
      if (!slot || !isBlock(slot)) return slot
      const message = unpack(slot, page.starts[index] ?? 0, serial)
      page.slots[index] = message
      packer?.release(slot)
      return message
    },
    add(message) {
      const page = pageFor(message.serial)
      const index = message.serial % PAGE_SIZE
      const packed = packer?.pack(message)
      page.slots[index] = packed ? packed.block : message
      if (packed) page.starts[index] = packed.start
      page.count += 1
      size += 1
      sizeBytes += message.sizeBytes
    },
    delete(serial) {
      const number = Math.floor(serial / PAGE_SIZE)
      const page = pages.get(number)
      const index = serial % PAGE_SIZE
      const slot = page?.slots[index]
      if (!page || !slot) return
      if (isBlock(slot)) {
        sizeBytes -= sizeOfPacked(slot, page.starts[index] ?? 0)
        packer?.release(slot)
      } else sizeBytes -= slot.sizeBytes
      page.slots[index] = undefined
      page.count -= 1
      size -= 1
      // The newest page is kept: a queue that is emptied as fast as it is filled would need one for each message.
      if (page.count === 0 && page !== newest) pages.delete(number)
    },
    values,
  }
}
