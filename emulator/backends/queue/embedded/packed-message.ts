import { type Message, isPlain } from './message.ts'

/**
 * A message that only waits, in memory beside the heap: the garbage collector copies what is new twice and walks what is
 * old, which takes longer than the rest of a send does. From `start`: when it was sent (8 bytes), the size of its body (4),
 * its id (36), and its body in UTF-8.
 */
export interface Packed {
  readonly block: Buffer
  readonly start: number
}

export interface Packer {
  /** Undefined when the message is more than its body, or too large. */
  pack(message: Message): Packed | undefined
}

const SIZE_AT = 8
const ID_AT = 12
const BODY_AT = 48
const ID_CHARACTERS = BODY_AT - ID_AT

/** A block goes when the last message in it has gone or was looked at. */
const BLOCK_BYTES = 64 * 1024
/** Larger ones gain nothing, and would leave much of a block unused. */
const MAX_BODY_CHARACTERS = 4096
/** UTF-8 of a code unit of UTF-16. */
const MAX_BYTES_A_UNIT = 3

export function createPacker(): Packer {
  const place = { block: Buffer.alloc(0), start: 0 }
  let end = 0
  return {
    pack(message) {
      const { id, body, sentAtMs } = message
      if (body.length > MAX_BODY_CHARACTERS || id.length !== ID_CHARACTERS || !isPlain(message)) return undefined
      if (end + BODY_AT + body.length * MAX_BYTES_A_UNIT > place.block.length) {
        place.block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
        end = 0
      }
      const { block } = place
      place.start = end
      block.writeDoubleLE(sentAtMs, end)
      block.write(id, end + ID_AT, 'latin1')
      const sizeBytes = block.write(body, end + BODY_AT)
      block.writeUInt32LE(sizeBytes, end + SIZE_AT)
      end += BODY_AT + sizeBytes
      return place
    },
  }
}

export function unpack(block: Buffer, start: number, serial: number): Message {
  const sizeBytes = sizeOfPacked(block, start)
  const sentAtMs = block.readDoubleLE(start)
  return {
    serial,
    id: block.toString('latin1', start + ID_AT, start + BODY_AT),
    body: block.toString('utf8', start + BODY_AT, start + BODY_AT + sizeBytes),
    sentAtMs,
    sizeBytes,
    state: 'ready',
    visibleAtMs: sentAtMs,
    receiveCount: 0,
    firstReceivedAtMs: undefined,
    receiptHandle: undefined,
    receivedAtMs: 0,
    attributes: undefined,
    groupId: undefined,
    deduplicationId: undefined,
    traceHeader: undefined,
    deadLetterSource: undefined,
  }
}

export function sizeOfPacked(block: Buffer, start: number): number {
  return block.readUInt32LE(start + SIZE_AT)
}
