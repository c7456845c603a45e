import { type Message, isPlain } from './message.ts'

/**
 * A message that only waits, in memory beside the heap: the garbage collector copies what is new twice and walks what is
 * old, which takes longer than the rest of a send does. From `start`: when it was sent (8 bytes), the size of its body (4),
 * its id (36), and its body in UTF-8.
 */
export interface Packed {
  readonly block: Block
  readonly start: number
}

/** Memory for some hundred messages, used again when the last of them has gone or was looked at. */
export interface Block {
  readonly bytes: Buffer
  /** Messages in it. */
  count: number
}

export interface Packer {
  /** Good until the next one is packed. Undefined when the message is more than its body, or too large. */
  pack(message: Message): Packed | undefined
  /** A message in the block is no longer needed. */
  release(block: Block): void
}

const SIZE_AT = 8
const ID_AT = 12
const BODY_AT = 48
const ID_CHARACTERS = BODY_AT - ID_AT

const BLOCK_BYTES = 64 * 1024
/** Larger ones gain nothing, and would leave much of a block unused. */
const MAX_BODY_CHARACTERS = 4096
/** UTF-8 of a code unit of UTF-16. */
const MAX_BYTES_A_UNIT = 3
/** What a queue keeps for the next messages when it is emptied. */
const MAX_FREE_BLOCKS = 16

export function createPacker(): Packer {
  const free: Block[] = []
  const place = { block: createBlock(0), start: 0 }
  let end = 0

  function makeRoom(): void {
    const full = place.block
    place.block = free.pop() ?? createBlock(BLOCK_BYTES)
    end = 0
    if (full.count === 0) keep(full)
  }

  function keep(block: Block): void {
    if (block.bytes.length === BLOCK_BYTES && free.length < MAX_FREE_BLOCKS) free.push(block)
  }

  return {
    pack(message) {
      const { id, body, sentAtMs } = message
      if (body.length > MAX_BODY_CHARACTERS || id.length !== ID_CHARACTERS || !isPlain(message)) return undefined
      if (end + BODY_AT + body.length * MAX_BYTES_A_UNIT > place.block.bytes.length) makeRoom()
      const { bytes } = place.block
      place.start = end
      place.block.count += 1
      bytes.writeDoubleLE(sentAtMs, end)
      bytes.write(id, end + ID_AT, 'latin1')
      const sizeBytes = bytes.write(body, end + BODY_AT)
      bytes.writeUInt32LE(sizeBytes, end + SIZE_AT)
      end += BODY_AT + sizeBytes
      return place
    },
    release(block) {
      block.count -= 1
      if (block.count > 0) return
      if (block === place.block) end = 0
      else keep(block)
    },
  }
}

/**
 * Shared, though with nobody: what is not counts as something that a collection might free, and with much of it there
 * is one after the other.
 */
function createBlock(sizeBytes: number): Block {
  return { bytes: Buffer.from(new SharedArrayBuffer(sizeBytes)), count: 0 }
}

export function isBlock(slot: Message | Block): slot is Block {
  return 'bytes' in slot
}

export function unpack({ bytes }: Block, start: number, serial: number): Message {
  const sizeBytes = bytes.readUInt32LE(start + SIZE_AT)
  const sentAtMs = bytes.readDoubleLE(start)
  return {
    serial,
    id: bytes.toString('latin1', start + ID_AT, start + BODY_AT),
    body: bytes.toString('utf8', start + BODY_AT, start + BODY_AT + sizeBytes),
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

export function sizeOfPacked({ bytes }: Block, start: number): number {
  return bytes.readUInt32LE(start + SIZE_AT)
}
